import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PreparedRun } from '../../../src/worker/prepared-run.js';
import type { ComputeJob } from '../../../src/engine/job.js';
import { adoptState, IncomingState, readState } from '../../../src/worker/state-transfer.js';
import { begunAt, lively, train as trainGeneration, workerWith } from './training-harness.js';

const train = (run: PreparedRun, lastStep: number) => trainGeneration(run, begunAt(run, { lastStep }));

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

test('a state that comes with a gap, or too short or too long, is not taken', () => {
  const { state } = workerWith(lively);
  const before = structuredClone([state.now, state.progression]);
  const whole = new Uint8Array(state.now.weights.byteLength).fill(1);
  const comings: ((incoming: IncomingState) => void)[] = [
    () => undefined,
    (incoming) => incoming.part('weights', 0, whole.subarray(4)),
    (incoming) => incoming.part('weights', 4, whole.subarray(4)),
    (incoming) => (incoming.part('weights', 0, whole), incoming.part('weights', whole.byteLength, whole)),
  ];
  for (const come of comings) {
    const incoming = new IncomingState(state);
    come(incoming);
    assert.throws(() => incoming.adopt('{"step":7}'), { code: 'STATE_MISMATCH' });
    assert.deepEqual([state.now, state.progression], before);
  }
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

/** Multiplied with the loss scale, as an engine does it: too large for float32 above 2^100. */
const scaled = (job: ComputeJob, weights: Float32Array): number[] =>
  lively(job, weights).map((value, i) => (i < 3 ? Math.fround(value * 2 ** 26 * job.lossScale!) / 2 ** 26 : value));

test('what overflows by the loss scale is skipped, and tried again with half of it; no bit depends on the scale', async () => {
  const plain = workerWith(lively);
  await train(plain, 6);
  for (const codec of [undefined, { name: 'bf16', ratio: 1, rounding: 'nearest' } as const]) {
    const small = workerWith(scaled, { lossScale: 1024, ...(codec && { codec }) });
    await train(small, 6);
    if (!codec) assert.deepEqual(small.state.now, plain.state.now);
    assert.deepEqual(small.state.progression.lossScale, { value: 1024, finiteSteps: 0 });
  }
  const large = workerWith(scaled, { lossScale: 2 ** 120 });
  await train(large, 9); //                                            far more skipped steps than --max-skipped
  const { skippedSteps, skippedInARow, lossScale } = large.state.progression;
  assert.ok(skippedSteps === 9 && skippedInARow === 0, `${skippedSteps}, ${skippedInARow}`);
  assert.equal(lossScale?.value, 2 ** 111);
});

test('the loss scale is part of the state: who pulls it, or goes on from a checkpoint, ends the same', async () => {
  const changes = { lossScale: 2 ** 104 };
  const run = workerWith(scaled, changes);
  await train(run, 4);
  const other = workerWith(scaled, changes);
  adoptState(other.state, run.checkpoint!.state); //                  of step 2 or 4
  for (const each of [run, other]) await train(each, 20);
  assert.deepEqual(other.state.now, run.state.now);
  assert.deepEqual(other.state.progression, run.state.progression);
  assert.ok(run.state.progression.skippedSteps > 0 && run.state.progression.skippedSteps < 20);
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

for (const [what, changes, best] of [
  ['the highest accuracy', {}, { bestStep: 3, bestAccuracy: 0.75, bestLoss: undefined }],
  [
    'the lowest loss where there is no accuracy',
    { hasAccuracy: false },
    { bestStep: 2, bestLoss: 0.25, bestAccuracy: -1 },
  ],
] as const) {
  test(`the best weights are those with ${what}`, async () => {
    const sums = [
      [NaN, 0],
      [1, 2],
      [2, 3],
      [1, 3],
    ];
    const run = workerWith(lively, { evaluateEvery: { every: 1, unit: 'step' }, ...changes }, () => sums.shift()!);
    await train(run, 4);
    const { bestStep, bestAccuracy, bestLoss } = run.state.progression;
    assert.deepEqual({ bestStep, bestAccuracy, bestLoss }, best);
    assert.equal(run.best?.step, best.bestStep);
  });
}
