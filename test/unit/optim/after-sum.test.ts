import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { layoutOf, trainedPart } from '../../../src/core/layout.js';
import { addPenalties } from '../../../src/optim/penalties.js';
import { updateRunningAverages } from '../../../src/optim/running-averages.js';

const layout = layoutOf([
  { name: 'a.kernel', shape: [2, 2], penalty: { l1: 0.5, l2: 0.25 } },
  { name: 'norm.moving_mean', shape: [2], trainable: false, averageMomentum: 0.75 },
  { name: 'frozen.kernel', shape: [1], trainable: false, penalty: { l1: 1, l2: 1 } },
  { name: 'norm.moving_variance', shape: [2], trainable: false, averageMomentum: 0.5 },
  { name: 'b.bias', shape: [1] },
]);

describe('layoutOf', () => {
  it('puts what is not trained last, and statistics behind loss and count', () => {
    const names = ['a.kernel', 'b.bias', 'norm.moving_mean', 'frozen.kernel', 'norm.moving_variance'];
    assert.deepEqual(
      layout.tensors.map(({ name }) => name),
      names,
    );
    assert.deepEqual([layout.parameterCount, layout.weightCount, layout.extraCount], [5, 10, 6]);
    assert.deepEqual(layout.averages, [
      { offset: 5, size: 2, extra: 2, momentum: 0.75 },
      { offset: 8, size: 2, extra: 4, momentum: 0.5 },
    ]);
    assert.deepEqual(layout.penalties, [{ offset: 0, size: 4, l1: 0.5, l2: 0.25 }]);
    assert.deepEqual([trainedPart(layout).tensors.length, trainedPart(layout).weightCount], [2, 5]);
  });
});

describe('updateRunningAverages', () => {
  it('mixes the old value with the mean over all samples, and copies what is not trained', () => {
    const from = Float32Array.from({ length: 10 }, (_, i) => i);
    const to = new Float32Array(10).fill(-1);
    const extras = Float32Array.of(0, 0, 40, 80, 16, 32);
    updateRunningAverages(layout, from, to, extras, 8);
    assert.deepEqual([...to], [-1, -1, -1, -1, -1, 0.75 * 5 + 1.25, 0.75 * 6 + 2.5, 7, 4 + 1, 4.5 + 2]);
  });
});

describe('addPenalties', () => {
  it('adds the slope once a sample of the sum, where there is a penalty, slice by slice or at once', () => {
    const weights = Float32Array.of(1, -2, 0, 4, 5);
    const expected = [1 + 10 * (0.5 + 0.5), 1 + 10 * (-0.5 - 1), 1, 1 + 10 * (0.5 + 2), 1];
    for (const cuts of [
      [0, 5],
      [0, 1, 3, 5],
    ]) {
      const gradient = new Float32Array(5).fill(1);
      for (let i = 1; i < cuts.length; i++)
        addPenalties(layout.penalties, gradient, weights, 10, cuts[i - 1]!, cuts[i]!);
      assert.deepEqual([...gradient], expected);
    }
  });
});
