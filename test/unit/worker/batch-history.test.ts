import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchSizeAt, withBatchFrom, type BatchHistory } from '../../../src/core/batch-history.js';
import { batchAt } from '../../../src/data/batch-plan.js';
import { isAtBoundary, isAtEnd } from '../../../src/worker/boundaries.js';
import { begunAt, lively, train, workerWith } from './training-harness.js';

test('a history says the size of every step, and grows only where the size changes', () => {
  let history: BatchHistory = [];
  for (const [step, size] of [4, 4, 8, 8, 8, 2].entries()) history = withBatchFrom(history, step + 1, size);
  assert.deepEqual(
    history.map(({ fromStep, globalBatchSize }) => [fromStep, globalBatchSize]),
    [
      [1, 4],
      [3, 8],
      [6, 2],
    ],
  );
  assert.deepEqual(
    [1, 2, 3, 5, 6, 99].map((step) => batchSizeAt(history, step)),
    [4, 4, 8, 8, 2, 2],
  );
});

test('the first step of a generation has the batch that the state before it says; the next one that of the Begin', async () => {
  const run = workerWith(lively);
  await train(run, begunAt(run, { lastStep: 2, globalBatchSize: 4 }));
  assert.deepEqual(run.state.progression.position, { epoch: 0, firstPosition: 12 }, '8 by state 0, then 4');
  await train(run, begunAt(run, { lastStep: 3, globalBatchSize: 2 }));
  assert.deepEqual(run.state.progression.position, { epoch: 0, firstPosition: 16 }, '4 by state 2');
  assert.deepEqual(run.state.progression.batchHistory, [
    { fromStep: 1, globalBatchSize: 8 },
    { fromStep: 2, globalBatchSize: 4 },
    { fromStep: 4, globalBatchSize: 2 },
  ]);
});

test('a history that is repeated counts, whatever Begins say, and leaves the same state', async () => {
  const first = workerWith(lively);
  await train(first, begunAt(first, { lastStep: 3, globalBatchSize: 4 }));
  await train(first, begunAt(first, { lastStep: 6, globalBatchSize: 2 }));
  const { batchHistory } = first.state.progression;
  const again = workerWith(lively, { batchHistory });
  await train(again, begunAt(again, { lastStep: 6, globalBatchSize: 6 }));
  assert.deepEqual(again.state.progression.position, first.state.progression.position);
  assert.deepEqual(again.state.now, first.state.now);
});

test('a run whose batches vary ends with its last epoch', async () => {
  const run = workerWith(lively, { lastEpoch: 1 });
  await train(run, begunAt(run, { lastStep: 99, globalBatchSize: 4 }));
  assert.deepEqual(run.state.progression.position, { epoch: 1, firstPosition: 0 });
  assert.equal(run.state.progression.step, 5, '24 samples: 8, then four times 4');
});

test('with --drop-last the size of the step to come decides whether an epoch is over', () => {
  const position = { epoch: 0, firstPosition: 0 };
  assert.deepEqual(batchAt(position, 10, 4, true).next, { epoch: 0, firstPosition: 4 });
  assert.deepEqual(batchAt(position, 10, 4, true, 8).next, { epoch: 1, firstPosition: 0 });
  assert.deepEqual(batchAt({ epoch: 0, firstPosition: 4 }, 10, 4, true, 2).next, { epoch: 0, firstPosition: 8 });
});

test('boundaries of epochs are seen in the state, those of steps are counted', () => {
  const at = (step: number, epoch: number, firstPosition: number) => ({ step, position: { epoch, firstPosition } });
  const epochs = { every: 2, unit: 'epoch' } as const;
  assert.deepEqual(
    [at(0, 0, 0), at(7, 1, 0), at(9, 2, 4), at(8, 2, 0)].map((place) => isAtBoundary(epochs, place)),
    [false, false, false, true],
  );
  const steps = { every: 3, unit: 'step' } as const;
  assert.deepEqual(
    [at(0, 0, 0), at(4, 1, 0), at(6, 0, 8)].map((place) => isAtBoundary(steps, place)),
    [false, false, true],
  );
  assert.deepEqual([isAtEnd(6, undefined, at(5, 9, 0)), isAtEnd(6, undefined, at(6, 0, 0))], [false, true]);
  assert.deepEqual([isAtEnd(6, 2, at(5, 1, 9)), isAtEnd(6, 2, at(5, 2, 0))], [false, true]);
});
