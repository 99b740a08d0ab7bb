import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outerStep, withOuterMomentum } from '../../../src/optim/outer-momentum.js';
import { createOptimizer } from '../../../src/optim/registry.js';

const state = (weight: number, buffer: number) => ({
  weights: Float32Array.of(weight),
  slots: [Float32Array.of(7), Float32Array.of(buffer)],
});

test('the outer step is Nesterov on the mean difference, by hand', () => {
  const from = state(10, 2);
  const to = state(0, 0);
  outerStep(from, to, Float32Array.of(12, 99), 4, { outerLearningRate: 0.5, outerMomentum: 0.5 });
  assert.deepEqual(to, state(10 - 0.5 * (3 + 0.5 * 4), 0.5 * 2 + 3)); // d = 12 / 4, b = 0.5 * 2 + 3
  assert.deepEqual(from, state(10, 2));
});

test('rate 1 without momentum is plain averaging', () => {
  const to = state(0, 0);
  outerStep(state(10, 5), to, Float32Array.of(6), 2, { outerLearningRate: 1, outerMomentum: 0 });
  assert.equal(to.weights[0], 7);
});

test('the buffer is one more slot behind those of the inner rule, and starts with zeros', () => {
  const rule = withOuterMomentum(createOptimizer('rprop'));
  assert.deepEqual(rule.slots, ['previousGradient', 'stepSize', 'outerMomentum']);
  assert.deepEqual(
    rule.slots.map((slot) => rule.initialSlotValue(slot, 0.1)),
    [0, 0.1, 0],
  );
});
