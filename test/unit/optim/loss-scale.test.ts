import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canBeHalved, firstLossScale, growAfterSteps, nextLossScale } from '../../../src/optim/loss-scale.js';

test('the scale is halved by what is not finite, down to 1, and grows again after many finite steps', () => {
  let scale = firstLossScale(4);
  const values = [false, false, false].map((isFinite) => (scale = nextLossScale(scale, isFinite, 4)).value);
  assert.deepEqual(values, [2, 1, 1]);
  assert.ok(!canBeHalved(scale));
  for (let i = 1; i < growAfterSteps; i++) scale = nextLossScale(scale, true, 4);
  assert.equal(scale.value, 1);
  scale = nextLossScale(scale, true, 4);
  assert.deepEqual(scale, { value: 2, finiteSteps: 0 });
  scale = nextLossScale(nextLossScale(scale, true, 4), false, 4);
  assert.deepEqual(scale, { value: 1, finiteSteps: 0 }, 'one that is not finite begins anew');
});

test('it never grows beyond what the run began with, and counts nothing there', () => {
  const scale = firstLossScale(8);
  assert.deepEqual(nextLossScale(scale, true, 8), scale);
  assert.ok(canBeHalved(scale));
  assert.ok(!canBeHalved(undefined));
});
