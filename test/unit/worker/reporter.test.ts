import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Progress } from '../../../src/cluster/messages.js';
import type { Report } from '../../../src/cluster/session.js';
import type { EvaluationRecord, StepRecord } from '../../../src/core/events.js';
import { Reporter } from '../../../src/worker/reporter.js';
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

function reporterOf() {
  const clock = new FakeClock();
  const sent: Report[] = [];
  return { clock, sent, reporter: new Reporter('w', clock, (report) => void sent.push(report)) };
}

test('steps of 50 ms travel together, and only from the teller', () => {
  const { clock, sent, reporter } = reporterOf();
  reporter.step(generation, step(1), true);
  reporter.step(generation, step(2), true);
  clock.advance(50);
  reporter.step(generation, step(3), false);
  clock.advance(50);
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
    reporter.step(generation, step(s), s % 2 === 0);
    if (s % 3000 === 0) reporter.evaluation(evaluation(s), true);
  }
  clock.advance(50);
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

test('of a very long absence the newest records are left', () => {
  const { sent, reporter } = reporterOf();
  for (let s = 1; s <= 100_000; s++) reporter.step(generation, step(s), false);
  reporter.tellAgain({ ...progress, finishedStep: 100_000 }, 0);
  const steps = sent.flatMap((report) => report.steps.map((s) => s.step));
  assert.equal(steps.at(-1), 100_000);
  assert.equal(steps.length, 1 << 15);
});
