import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomStream } from '../../../src/core/random.js';
import { averageNoise, isNoiseMeasured, noiseScaleOf, type NoiseAverages } from '../../../src/optim/noise-scale.js';

/** A gradient of `length` ones, to which each sample adds independent noise of variance 2: tr(S) / |G|^2 = 2. */
function measure(step: number, count: number, microBatchSize: number, length: number) {
  const random = randomStream(3, 'noise', step);
  const total = new Float64Array(length);
  let squareSum = 0;
  for (let micro = 0; micro < count; micro++) {
    const mean = new Float64Array(length).fill(1);
    for (let sample = 0; sample < microBatchSize; sample++)
      for (let i = 0; i < length; i++) mean[i]! += ((random.uniform() < 0.5 ? -1 : 1) * Math.SQRT2) / microBatchSize;
    mean.forEach((g, i) => (total[i]! += g / count));
    squareSum += mean.reduce((sum, g) => sum + g * g, 0);
  }
  const norm = Math.sqrt(total.reduce((sum, g) => sum + g * g, 0));
  return { microBatchSize, sampleCount: count * microBatchSize, squareSum, norm };
}

describe('gradient noise scale', () => {
  it('finds the noise that was put in, whatever the micro-batches', () => {
    for (const [count, microBatchSize] of [
      [2, 4],
      [8, 4],
      [4, 16],
    ] as const) {
      let averages: NoiseAverages | undefined;
      for (let step = 0; step < 150; step++)
        averages = averageNoise(averages, measure(step, count, microBatchSize, 20));
      const scale = noiseScaleOf(averages)!;
      assert.ok(Math.abs(scale / 2 - 1) < 0.15, `${count} micro-batches of ${microBatchSize}: ${scale}`);
    }
  });

  it('is exact where there is no noise, and where there is nothing else', () => {
    const alike = averageNoise(undefined, { microBatchSize: 4, sampleCount: 16, squareSum: 4 * 9, norm: 3 });
    assert.deepEqual(alike, { square: 9, trace: 0 });
    assert.equal(noiseScaleOf(alike), undefined);
    const opposed = averageNoise(undefined, { microBatchSize: 4, sampleCount: 8, squareSum: 2, norm: 0 });
    assert.deepEqual(opposed, { square: -1, trace: 8 });
    assert.equal(noiseScaleOf(opposed), undefined);
  });

  it('says nothing about single, unequal or damaged micro-batches', () => {
    const before = { square: 1, trace: 5 };
    const measurement = { microBatchSize: 4, sampleCount: 8, squareSum: 2, norm: 1 };
    for (const change of [{ sampleCount: 4 }, { sampleCount: 7 }, { squareSum: NaN }, { squareSum: Infinity }])
      assert.equal(averageNoise(before, { ...measurement, ...change }), before);
    assert.equal(noiseScaleOf(undefined), undefined);
  });

  it('is measured in the first step, and every eighth', () => {
    assert.deepEqual([1, 2, 8, 9, 10, 17].filter(isNoiseMeasured), [1, 9, 17]);
  });
});
