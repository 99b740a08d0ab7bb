import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admission, inOrder, placeToTake } from '../../../src/agent/queue.js';
import type { RunRecord } from '../../../src/transport/nats/run-ledger.js';

function run(name: string, facts: Partial<RunRecord> = {}): RunRecord {
  return { name, workers: 2, maxWorkers: 2, priority: 5, flags: [], submittedMs: 0, state: 'queued', ...facts };
}

const nodes = (...counts: readonly number[]) =>
  counts.map((count, i) => ({
    key: `n${i}`,
    value: { instance: 'i', host: 'h', slots: Array.from({ length: count }, () => ({ what: 'x' })) },
  }));
const none = { workers: {} };
const taken = (...keys: readonly string[]) => keys.map((key) => ({ key, value: { agent: 'a' } }));

test('higher priorities go first, then who came first', () => {
  const runs = [
    run('late', { submittedMs: 2 }),
    run('early', { submittedMs: 1 }),
    run('urgent', { submittedMs: 3, priority: 9 }),
  ];
  assert.deepEqual(
    inOrder(runs).map(({ name }) => name),
    ['urgent', 'early', 'late'],
  );
});

describe('a queued run', () => {
  test('begins when the slots suffice beside those that others may take', () => {
    const [a, b] = [run('a'), run('b', { state: 'running' })];
    assert.deepEqual(admission(a, [a], nodes(1, 1), none), { workers: { a: 2 } });
    assert.equal(admission(a, [a, b], nodes(2, 1), { workers: { b: 2 } }), 'it needs 2 slots, and 1 of 3 are free');
    assert.deepEqual(admission(a, [a, b], nodes(2, 2), { workers: { b: 2 } }), { workers: { a: 2, b: 2 } });
  });

  test('takes the slots of those that are over', () => {
    const [a, b] = [run('a'), run('b', { state: 'finished' })];
    assert.deepEqual(admission(a, [a, b], nodes(2), { workers: { b: 2, gone: 7 } }), { workers: { a: 2 } });
  });

  test('overtakes nobody', () => {
    const [large, small] = [run('large', { workers: 9 }), run('small', { submittedMs: 1 })];
    assert.equal(admission(small, [large, small], nodes(4), none), 'large is before it');
  });

  test('that was let begin, and whose agent was lost before it could say so, is let begin again', () => {
    const a = run('a');
    assert.deepEqual(admission(a, [a], nodes(2), { workers: { a: 2 } }), { workers: { a: 2 } });
  });

  test('waits while there are fewer slots than were promised', () => {
    const [a, b] = [run('a'), run('b', { state: 'running' })];
    assert.equal(admission(a, [a, b], nodes(1), { workers: { b: 2 } }), 'it needs 2 slots, and 0 of 1 are free');
  });
});

describe('a free slot', () => {
  const a = run('a', { state: 'running' });
  const elastic = run('elastic', { state: 'running', maxWorkers: 4, submittedMs: -1 });

  test('goes to the first place that is free, of the first run that lacks one', () => {
    assert.deepEqual(placeToTake([a], taken('a.0')), { run: a, index: 1 });
    assert.deepEqual(placeToTake([a, elastic], taken('elastic.0', 'elastic.1', 'a.1')), { run: a, index: 0 });
    assert.equal(placeToTake([a], taken('a.0', 'a.1')), undefined);
  });

  test('goes to a run that takes more than it needs only while nobody waits', () => {
    const all = taken('elastic.0', 'elastic.1', 'a.0', 'a.1');
    assert.deepEqual(placeToTake([a, elastic], all), { run: elastic, index: 2 });
    assert.equal(placeToTake([a, elastic, run('waiting')], all), undefined);
  });

  test('goes to no run that is about to end, or has not begun', () => {
    assert.equal(
      placeToTake([run('b', { state: 'running', stop: true }), run('c'), run('d', { state: 'submitted' })], []),
      undefined,
    );
  });
});
