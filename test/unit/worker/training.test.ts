import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Begin } from '../../../src/cluster/messages.js';
import { plainVectors, Workspace } from '../../../src/collective/workspace.js';
import { createArena } from '../../../src/core/arena.js';
import { layoutOf } from '../../../src/core/layout.js';
import type { RunSpec } from '../../../src/core/run-spec.js';
import type { ComputeJob } from '../../../src/engine/engine-thread.js';
import { createOptimizer } from '../../../src/optim/registry.js';
import { memoryLinks } from '../../../src/transport/memory/memory-link.js';
import type { PreparedRun } from '../../../src/worker/prepared-run.js';
import { adoptState, readState } from '../../../src/worker/state-transfer.js';
import { trainLoop } from '../../../src/worker/train-loop.js';
import { TrainingState } from '../../../src/worker/training-state.js';

const layout = layoutOf([
  { name: 'dense.kernel', shape: [2] },
  { name: 'dense.bias', shape: [1] },
]);
const spec = {
  dataset: { trainLength: 24, testLength: 4 },
  globalBatchSize: 8,
  microBatchSize: 2,
  dropLast: false,
  evaluateEverySteps: 100,
  checkpointEverySteps: 2,
  maxSkippedSteps: 3,
  topology: 'auto',
} as unknown as RunSpec;

/** One worker whose engine answers by arithmetic. @param gradientOf - of a micro-batch: kernel, kernel, bias, loss, correct */
function workerWith(gradientOf: (job: ComputeJob, weights: Float32Array) => readonly number[]): PreparedRun {
  const arena = createArena();
  const state = new TrainingState(arena, 3, createOptimizer('momentum', {}));
  state.initialise(Float32Array.of(1, 2, 3), 0.1);
  const compute = (job: ComputeJob) => {
    const isTraining = job.purpose === 'gradient';
    const values = Float32Array.from(isTraining ? gradientOf(job, job.weights) : [1, 1]);
    return Promise.resolve({ nodes: [{ ...job.range, values }], computeSeconds: 0, tensorCount: 0 });
  };
  return {
    spec,
    arena,
    engine: { layout, compute } as unknown as PreparedRun['engine'],
    state,
    learningRateOf: () => 0.1,
    workspace: new Workspace(plainVectors),
    gradientSum: new Float32Array(5),
    evaluationSum: new Float32Array(2),
    best: undefined,
    checkpoint: undefined,
  };
}

async function train(run: PreparedRun, lastStep: number): Promise<number[]> {
  const offered: number[] = [];
  const generation = { term: 1, number: 1 };
  const begin: Begin = {
    kind: 'begin',
    generation,
    members: [{ workerId: 'w0', address: 'a:1' }],
    shares: [1],
    donor: 0,
    afterStep: run.state.progression.step,
    lastStep,
  };
  const ignore = (): void => undefined;
  const events = {
    stepFinished: ignore,
    evaluated: ignore,
    ended: ignore,
    checkpointed: (s: number) => offered.push(s),
  };
  await trainLoop(
    run,
    begin,
    memoryLinks(1, 1)[0]!,
    events,
    () => 0,
    () => false,
  );
  return offered;
}

/** A gradient that depends on the weights and on the data, so that a state that is not quite the same shows. */
const lively = (job: ComputeJob, weights: Float32Array): number[] => [
  weights[0]! / 3,
  weights[1]! * job.firstPosition,
  job.epoch + 1,
  1,
  1,
];

test('the copies are of the boundary, whatever training does afterwards; the last step needs none', async () => {
  const run = workerWith(lively);
  assert.equal(readState(run, { what: 'checkpoint', step: 2 }), 'no checkpoint was taken here yet');
  assert.deepEqual(await train(run, 5), [2, 4]);
  const copy = readState(run, { what: 'checkpoint', step: 4 });
  assert.ok(typeof copy !== 'string');
  const kept = structuredClone(copy);
  await train(run, 6);
  assert.deepEqual(copy, kept);

  const other = workerWith(lively); //                                what a resumed worker does
  adoptState(other.state, copy);
  assert.equal(other.state.progression.step, 4);
  await train(other, 6);
  assert.deepEqual(other.state.now, run.state.now);
  assert.deepEqual(other.state.progression, run.state.progression);
});

test('skipped steps in a row are counted, and one that is not skipped ends the row', async () => {
  let calls = 0;
  const run = workerWith((job, weights) => {
    calls += 1;
    return calls === 2 || calls === 3 ? [NaN, 0, 0, 1, 1] : lively(job, weights);
  });
  await train(run, 3);
  assert.deepEqual([run.state.progression.skippedInARow, run.state.progression.skippedSteps], [2, 2]);
  await train(run, 4);
  assert.deepEqual([run.state.progression.skippedInARow, run.state.progression.skippedSteps], [0, 2]);
});

const notFinite: readonly (readonly [string, (micro: number) => readonly number[], RegExp])[] = [
  [
    'one micro-batch',
    (m) => [0, 0, m === 2 ? Infinity : 0, 1, 1],
    /of dense\.bias .*\(first in micro-batch 2, samples 4 to 5 /,
  ],
  ['only the loss', () => [0, 0, 0, NaN, 1], /: the loss is not finite \(first in micro-batch 0, samples 0 to 1 of/],
  ['only the sum', () => [0, 3e38, 0, 1, 1], /of dense\.kernel .*none of the 4 micro-batches is when computed again/],
];
for (const [what, gradientOf, message] of notFinite) {
  test(`too many in a row end the run, with what is not finite: ${what}`, async () => {
    const run = workerWith(({ range }) => {
      const each = Array.from({ length: range.end - range.first }, (_, i) => gradientOf(range.first + i));
      return each.reduce((sum, values) => sum.map((v, i) => Math.fround(v + values[i]!)));
    });
    const weights = [...run.state.now.weights];
    await assert.rejects(train(run, 9), { code: 'NOT_FINITE', message });
    await assert.rejects(train(run, 9), { message: /^step 3 was skipped, number 3 in a row: / });
    assert.deepEqual([...run.state.now.weights], weights, 'no weight has changed');
  });
}
