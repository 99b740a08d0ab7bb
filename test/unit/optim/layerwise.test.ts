import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { layoutOf } from '../../../src/core/layout.js';
import { packageRoot } from '../../../src/core/paths.js';
import { createOptimizer } from '../../../src/optim/registry.js';
import { Trainer } from './optimizer-harness.js';

interface Golden {
  readonly shapes: readonly (readonly number[])[];
  readonly x0: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly rules: Record<
    string,
    {
      readonly optimizer: string;
      readonly lr: number;
      readonly options: Record<string, number>;
      readonly trajectory: readonly (readonly number[])[];
    }
  >;
}

const golden = JSON.parse(readFileSync(join(packageRoot, 'test/fixtures/golden/layerwise.json'), 'utf8')) as Golden;
const { tensors } = layoutOf(golden.shapes.map((shape, i) => ({ name: `tensor${i}`, shape })));
const sampleCount = 4;

describe('rules that look at the norms of whole tensors', () => {
  for (const [name, { optimizer, lr, options, trajectory }] of Object.entries(golden.rules)) {
    const factors = { learningRate: lr, sampleCount, clipFactor: 1 };
    const runs = [
      ['float32', Float32Array, [], 1e-6],
      ['float32, slice by slice', Float32Array, [1, 5, 7, 7, 9], 1e-6],
      ['float64', Float64Array as unknown as typeof Float32Array, [], 1e-11], // typed arrays are alike to a rule
    ] as const;
    for (const [how, Vector, cuts, tolerance] of runs) {
      it(`follow the formulas in PyTorch: ${name}, ${how}`, () => {
        const rule = createOptimizer(optimizer, options, tensors);
        assert.equal(rule.reads, 'tensor');
        const trainer = new Trainer(rule, Vector.from(golden.x0), factors, cuts);
        trajectory.forEach((expected, t) => {
          const { weights } = trainer.step(Vector.from(golden.gradients[t]!.map((g) => g * sampleCount)));
          expected.forEach((weight, i) => {
            const error = Math.abs(weights[i]! - weight);
            assert.ok(error <= tolerance * 4, `step ${t}, weight ${i}: ${weights[i]}, expected ${weight}`);
          });
        });
      });
    }
  }

  const one = { learningRate: 2, sampleCount: 1, clipFactor: 1 };

  it('lars, by hand: |w| = 5, |g| = 1, so that the local rate is 0.1 times 5', () => {
    const trainer = new Trainer(createOptimizer('lars', { trust: 0.1 }), Float32Array.of(3, 4), one);
    assert.deepEqual([...trainer.step(Float32Array.of(0, 1)).weights], [3, 3]);
  });

  it('lamb, by hand: the first r is +-1 everywhere, of length 2, and the step as long as the weights times lr', () => {
    const rule = createOptimizer('lamb', { epsilon: 0 });
    const { weights } = new Trainer(rule, Float32Array.of(6, 0, 0, 8), { ...one, learningRate: 0.25 }).step(
      Float32Array.of(9, -1, 4, 0.5),
    );
    const expected = [6 - 1.25, 1.25, -1.25, 8 - 1.25]; //          0.25 * |w| / |r| = 0.25 * 10 / 2
    weights.forEach((w, i) => assert.ok(Math.abs(w - expected[i]!) < 1e-6));
  });

  it('weights or gradients of zeros take the plain step', () => {
    const zero = new Trainer(createOptimizer('lars', {}), Float32Array.of(0, 0), one);
    assert.deepEqual([...zero.step(Float32Array.of(1, -1)).weights], [-2, 2]);
  });
});
