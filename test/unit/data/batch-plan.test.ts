import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { equalRanges, rangesByShare } from '../../../src/collective/ranges.js';
import {
  batchAt,
  defaultMicroBatchSize,
  microBatchAt,
  microBatchCount,
  positionAfter,
  samplesPerEpoch,
  stepsPerEpoch,
  totalSamples,
  type Batch,
  type DataPosition,
} from '../../../src/data/batch-plan.js';
import { epochOrder } from '../../../src/data/epoch-order.js';

/** The batches of one whole epoch. */
function batchesOf(length: number, globalBatchSize: number, dropLast: boolean): Batch[] {
  const batches: Batch[] = [];
  for (let at: DataPosition = { epoch: 0, firstPosition: 0 }; at.epoch === 0;) {
    const { batch, next } = batchAt(at, length, globalBatchSize, dropLast);
    batches.push(batch);
    at = next;
  }
  return batches;
}

describe('batch plan', () => {
  it('uses every sample of an epoch exactly once, whatever the number and the speed of workers, the short batch included', () => {
    fc.assert(
      fc.property(
        fc.record({
          length: fc.integer({ min: 1, max: 3000 }),
          microBatchSize: fc.integer({ min: 1, max: 40 }),
          microBatches: fc.integer({ min: 1, max: 20 }),
          shares: fc
            .array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 9 })
            .filter((s) => s.some((v) => v > 0)),
          seed: fc.nat(),
          epoch: fc.nat(50),
          isEqual: fc.boolean(),
        }),
        ({ length, microBatchSize, microBatches, shares, seed, epoch, isEqual }) => {
          const order = epochOrder({ seed, epoch, length, shuffle: 'epoch' });
          const used = new Uint8Array(length);
          for (const { firstPosition, sampleCount } of batchesOf(length, microBatches * microBatchSize, false)) {
            const count = microBatchCount(sampleCount, microBatchSize);
            const ranges = isEqual ? equalRanges(count, shares.length) : rangesByShare(count, shares);
            for (const range of ranges) {
              for (let m = range.first; m < range.end; m++) {
                const { first, end } = microBatchAt(m, sampleCount, microBatchSize);
                for (let i = first; i < end; i++) used[order(firstPosition + i)]!++;
              }
            }
          }
          assert.ok(used.every((n) => n === 1));
        },
      ),
      { seed: 2, numRuns: 150 },
    );
  });

  it('gives the batches of MNIST', () => {
    const batches = batchesOf(60_000, 256, false);
    assert.equal(batches.length, 235);
    assert.equal(stepsPerEpoch(60_000, 256, false), 235);
    assert.deepEqual(batches.at(-1), { epoch: 0, firstPosition: 59_904, sampleCount: 96 });
    assert.equal(batchesOf(60_000, 256, true).length, 234);
    assert.equal(stepsPerEpoch(60_000, 256, true), 234);
    assert.deepEqual(batchesOf(100, 256, false), [{ epoch: 0, firstPosition: 0, sampleCount: 100 }]);
  });

  it('knows where any step starts without running the ones before it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        fc.nat(40),
        (length, batch, dropLast, steps) => {
          fc.pre(!dropLast || batch <= length);
          let at: DataPosition = { epoch: 0, firstPosition: 0 };
          let samples = 0;
          for (let s = 0; s < steps; s++) {
            const step = batchAt(at, length, batch, dropLast);
            samples += step.batch.sampleCount;
            at = step.next;
          }
          assert.deepEqual(positionAfter(steps, length, batch, dropLast), at);
          assert.equal(totalSamples(steps, length, batch, dropLast), samples);
        },
      ),
      { seed: 3, numRuns: 200 },
    );
    assert.equal(totalSamples(3 * 235, 60_000, 256, false), 180_000);
    assert.equal(samplesPerEpoch(60_000, 256, true), 234 * 256);
  });

  it('goes on to the next epoch when a grown batch no longer fits and short ones are dropped', () => {
    const { batch } = batchAt({ epoch: 4, firstPosition: 96 }, 100, 8, true);
    assert.deepEqual(batch, { epoch: 5, firstPosition: 0, sampleCount: 8 });
    assert.throws(() => batchAt({ epoch: 0, firstPosition: 0 }, 100, 101, true), { code: 'NO_FULL_BATCH' });
    assert.throws(() => stepsPerEpoch(100, 101, true), /100 samples, a batch 101/);
  });

  it('chooses a micro-batch that divides the batch', () => {
    const expected = {
      256: 32,
      512: 64,
      60_000: 60,
      64: 8,
      128: 16,
      100: 10,
      1000: 50,
      1: 1,
      5: 5,
      10: 5,
      257: 1,
      5000: 50,
    };
    for (const [batch, micro] of Object.entries(expected))
      assert.equal(defaultMicroBatchSize(Number(batch)), micro, batch);
    for (let batch = 1; batch < 3000; batch++) assert.equal(batch % defaultMicroBatchSize(batch), 0);
  });
});
