import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planRanges } from '../../../src/collective/plan-ranges.js';
import { play } from './coordinator-play.js';

const planShares = (seconds: readonly (number | undefined)[]) => planRanges(seconds, 8);

/** Two workers, running; `report` says how far one is, and what a sample takes it. */
function running() {
  const c = play({ worldSize: 2, minWorkers: 1, lastStep: 9_999, planShares });
  c.feed(c.join('a'));
  c.feed(c.join('b'));
  let number = 0;
  const begun = (step: number): readonly number[] => {
    number += 1;
    c.feed(c.sealed('a', number, step));
    c.feed(c.sealed('b', number, step));
    c.feed({ kind: 'appended' });
    return c.state.begin!.shares;
  };
  const report = (name: string, step: number, secondsPerSample?: number) => {
    const generation = { term: 1, number };
    const report = { kind: 'progress', workerId: name, generation, finishedStep: step, sealed: generation } as const;
    const message = secondsPerSample === undefined ? report : { ...report, secondsPerSample };
    return c.feed({ kind: 'message', message });
  };
  return { c, begun, report, first: begun(0) };
}

const sealed = (number: number) => [`seal ${number} to a`, `seal ${number} to b`];

test('ranges move to the faster worker once both have measured themselves, and stay where they are right', () => {
  const { begun, report, first } = running();
  assert.deepEqual(first, [4, 4], 'nobody knows better');
  assert.deepEqual(report('a', 60, 1), [], 'the other has not said');
  assert.deepEqual(report('b', 60, 3), sealed(2));
  assert.deepEqual(begun(60), [6, 2]);
  for (const step of [100, 400, 4000]) assert.deepEqual(report('a', step, 1.05), []);
  assert.deepEqual(report('b', 4001, 2.9), [], 'as good as it gets');
});

test('a difference that is hardly worth a step moves nothing, and neither do the first steps', () => {
  const { report } = running();
  report('a', 10, 1);
  assert.deepEqual(report('b', 10, 3), [], 'too early to judge');
  assert.deepEqual(report('b', 900, 1.1), []);
});

test('moving to and fro gets rarer, unless one holds up the other badly', () => {
  const { begun, report } = running();
  report('a', 30, 1);
  assert.deepEqual(report('b', 30, 2), sealed(2));
  begun(30);
  report('b', 60, 1);
  assert.deepEqual(report('a', 60, 1), [], '30 steps were enough before');
  assert.deepEqual(report('a', 90, 1), sealed(3));
  begun(90);
  report('b', 120, 1);
  assert.deepEqual(report('a', 120, 9), sealed(4), 'this is urgent');
});

test('a worker that computes nothing is tried again after a while', () => {
  const { begun, report } = running();
  report('a', 30, 1);
  assert.deepEqual(report('b', 30, 20), sealed(2));
  assert.deepEqual(begun(30), [8, 0]);
  assert.deepEqual(report('a', 300, 1), []);
  assert.deepEqual(report('a', 9000, 1), sealed(3));
});

test('a worker that joins counts as fast as the others until it has measured itself', () => {
  const { c, begun, report } = running();
  report('a', 30, 1);
  report('b', 30, 3);
  assert.deepEqual(begun(30), [6, 2]);
  c.feed(c.join('c'));
  c.feed(c.sealed('a', 3, 40));
  c.feed(c.sealed('b', 3, 40));
  c.feed(c.sealed('c', 3, 0));
  c.feed({ kind: 'appended' });
  assert.deepEqual(c.state.begin!.shares, planShares([1, 3, 2]));
});
