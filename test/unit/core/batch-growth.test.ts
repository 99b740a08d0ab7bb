import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adaptedBatchSize, grownBatchSize } from '../../../src/core/batch-growth.js';
import { withBatchFrom, type BatchHistory } from '../../../src/core/batch-history.js';

describe('a batch that follows the noise scale', () => {
  const bounds = { min: 64, max: 512 };
  const after = (size: number, noise: number | undefined, steps = 100) =>
    adaptedBatchSize(bounds, [{ fromStep: 1, globalBatchSize: size }], steps, noise);

  it('doubles below half of it, halves above twice of it, and stays between', () => {
    assert.deepEqual([after(64, 127), after(64, 128), after(128, 65), after(128, 63)], [64, 128, 128, 64]);
    assert.equal(after(64, undefined), 64);
  });

  it('keeps to its bounds', () => {
    assert.deepEqual([after(512, 1e6), after(64, 1)], [512, 64]);
    assert.equal(adaptedBatchSize({ min: 64, max: 100 }, [{ fromStep: 1, globalBatchSize: 64 }], 99, 1e6), 64);
  });

  it('gives the averages time to follow', () => {
    assert.deepEqual([after(64, 1e6, 15), after(64, 1e6, 16)], [64, 128]);
    let history: BatchHistory = [{ fromStep: 1, globalBatchSize: 64 }];
    for (let step = 1; step < 70; step++)
      history = withBatchFrom(history, step + 1, adaptedBatchSize(bounds, history, step, 1e6));
    assert.deepEqual(history, [
      { fromStep: 1, globalBatchSize: 64 },
      { fromStep: 17, globalBatchSize: 128 },
      { fromStep: 33, globalBatchSize: 256 },
      { fromStep: 49, globalBatchSize: 512 },
    ]);
  });
});

describe('a batch that grows', () => {
  const growth = { everySamples: 1000, factor: 1.5, max: 300 };

  it('by its factor after each span of samples, in whole micro-batches, up to its bound', () => {
    const sizes = [0, 999, 1000, 2000, 3000, 50_000].map((samples) => grownBatchSize(growth, 100, samples, 10));
    assert.deepEqual(sizes, [100, 100, 150, 220, 300, 300]);
  });
});
