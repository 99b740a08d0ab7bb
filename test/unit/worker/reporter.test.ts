import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Progress } from '../../../src/cluster/messages.js';
import type { Report } from '../../../src/cluster/session.js';
import type { EvaluationRecord, StepRecord } from '../../../src/core/events.js';
import { Reporter } from '../../../src/worker/reporter.js';
import type { FinishedStep } from '../../../src/worker/train-step.js';
import { FakeClock } from '../fake-clock.js';

const generation = { term: 1, number: 1 };
const progress: Progress = { kind: 'progress', workerId: 'w', generation, finishedStep: 0, sealed: generation };
const step = (number: number): StepRecord => ({
  step: number,
  epoch: 0,
  loss: 1,
  accuracy: 0,
  learningRate: 0.1,
  globalBatchSize: 1,
  sampleCount: 1,
  worldSize: 2,
  generation: 1,
  gradientNorm: 1,
  skipped: false,
  seconds: { compute: 0, wait: 0, exchange: 0, update: 0 },
});
const evaluation = (number: number): EvaluationRecord => ({
  step: number,
  epoch: 0,
  testLoss: 1,
  testAccuracy: 0.5,
  best: false,
});

const finished = (number: number): FinishedStep => ({
  record: step(number),
  timing: { step: number, beginMs: 0, seconds: { compute: 0, wait: 0, exchange: 0, update: 0 }, slowestRank: -1 },
  moved: { bytes: 0, hiddenBytes: 0 },
  ownSampleCount: 1,
  tensorCount: 0,
});

function reporterOf() {
  const clock = new FakeClock();
  const sent: Report[] = [];
  const watched: number[][] = [];
  const reporter = new Reporter({
    workerId: 'w',
    clock,
    send: (report) => void sent.push(report),
    watch: (steps) => void watched.push(steps.map(({ record }) => record.step)),
  });
  return { clock, sent, watched, reporter };
}

test('steps of 100 ms travel together, and only from the teller', () => {
  const { clock, sent, watched, reporter } = reporterOf();
  reporter.finished(generation, finished(1), true);
  reporter.finished(generation, finished(2), true);
  clock.advance(99);
  assert.deepEqual(watched, [], 'while peers may wait nothing is done about them');
  clock.advance(1);
  reporter.finished(generation, finished(3), false);
  clock.advance(100);
  assert.deepEqual(watched, [[1, 2], [3]]);
  assert.deepEqual(
    sent.map(({ finishedStep, steps }) => [finishedStep, steps.map((s) => s.step)]),
    [
      [2, [1, 2]],
      [3, []],
    ],
  );
});

test('what a new coordinator has no record of is told again, told before or not, in messages that gRPC takes', () => {
  const { clock, sent, reporter } = reporterOf();
  const last = 10_000;
  for (let s = 1; s <= last; s++) {
    reporter.finished(generation, finished(s), s % 2 === 0);
    if (s % 3000 === 0) reporter.evaluation(evaluation(s), true);
  }
  clock.advance(100);
  sent.length = 0;
  reporter.tellAgain({ ...progress, finishedStep: last }, 3000, 7);
  const steps = sent.flatMap((report) => report.steps.map((s) => s.step));
  assert.deepEqual(
    steps,
    Array.from({ length: last - 3000 }, (_, i) => 3001 + i),
  );
  assert.deepEqual(
    sent.map((report) => report.steps.length),
    [4096, 2904],
  );
  assert.deepEqual(
    sent.map((report) => report.evaluations.map((e) => e.step)),
    [[3000, 6000], [9000]],
    'each with its step or behind it',
  );
  assert.deepEqual(
    sent.map(({ checkpointStep }) => checkpointStep),
    [undefined, 7],
  );
});

test('what is told at once comes after the steps before it, and what looks on has seen them', () => {
  const { sent, watched, reporter } = reporterOf();
  reporter.finished(generation, finished(1), true);
  reporter.checkpoint(generation, 1);
  reporter.finished(generation, finished(2), true);
  reporter.ended(generation, 2, { weightsDigest: 'd', targetReached: false });
  reporter.settle();
  assert.deepEqual(watched, [[1], [2]]);
  assert.deepEqual(
    sent.map(({ steps, checkpointStep, ended }) => [steps.map((s) => s.step), checkpointStep, ended?.weightsDigest]),
    [
      [[1], 1, undefined],
      [[2], undefined, 'd'],
    ],
  );
});

test('of a very long absence the newest records are left', () => {
  const { sent, reporter } = reporterOf();
  for (let s = 1; s <= 100_000; s++) reporter.finished(generation, finished(s), false);
  reporter.tellAgain({ ...progress, finishedStep: 100_000 }, 0);
  const steps = sent.flatMap((report) => report.steps.map((s) => s.step));
  assert.equal(steps.at(-1), 100_000);
  assert.equal(steps.length, 1 << 15);
});
