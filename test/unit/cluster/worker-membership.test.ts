import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Begin, Generation } from '../../../src/cluster/messages.js';
import {
  advanceWorker,
  joinedWorker,
  type WorkerAction,
  type WorkerInput,
} from '../../../src/cluster/worker-membership.js';

const g = (number: number, term = 1): Generation => ({ term, number });
const seal = (number: number, term = 1): WorkerInput => ({
  kind: 'message',
  message: { kind: 'seal', generation: g(number, term) },
});
const beginOf = (number: number, afterStep: number): Begin => ({
  kind: 'begin',
  generation: g(number),
  members: [{ workerId: 'me', address: 'me:1' }],
  shares: [1],
  donor: 0,
  afterStep,
  lastStep: 9,
});
const begin = (number: number, afterStep = 0): WorkerInput => ({
  kind: 'message',
  message: beginOf(number, afterStep),
});

function inWords(action: WorkerAction): string {
  switch (action.kind) {
    case 'send':
      return `sealed ${action.message.generation.number} at ${action.message.finishedStep}${action.message.hasState ? '' : ' without state'}`;
    case 'run':
    case 'catch-up':
      return `${action.kind} from ${action.begin.afterStep}`;
    default:
      return action.kind;
  }
}

function play(...inputs: readonly WorkerInput[]) {
  let state = joinedWorker('me');
  const feed = (input: WorkerInput): readonly string[] => {
    const outcome = advanceWorker(state, input);
    state = outcome.state;
    return outcome.actions.map(inWords);
  };
  for (const input of inputs) feed(input);
  return {
    feed,
    get state() {
      return state;
    },
  };
}

const level: WorkerInput = { kind: 'level', step: 0 };
const finished = (number: number, step: number): WorkerInput => ({ kind: 'finished', generation: g(number), step });

test('a Seal is answered at once by who does nothing, and again when it is repeated (rule 5)', () => {
  const w = play(level);
  assert.deepEqual(w.feed(seal(1)), ['sealed 1 at 0']);
  assert.deepEqual(w.feed(seal(1)), ['sealed 1 at 0']);
});

test('a running update is abandoned before the Seal is answered (rule 4)', () => {
  const w = play(level, seal(1), begin(1), finished(1, 1));
  assert.deepEqual(w.feed(seal(2)), ['abandon']);
  assert.deepEqual(w.feed(seal(3)), [], 'a newer Seal takes the place of the one that waits');
  assert.deepEqual(w.feed({ kind: 'abandoned' }), ['sealed 3 at 1']);
  assert.throws(() => w.feed(finished(1, 2)), /not running/);
});

test('a late copy of a Seal does not stop the generation that has begun with it', () => {
  const w = play(level, seal(1), begin(1));
  assert.deepEqual(w.feed(seal(1)), ['log']);
  assert.deepEqual(w.feed(finished(1, 1)), []);
});

test('a lower Seal is refused (rule 5), and so is a Begin older than the last Seal (rule 7)', () => {
  const w = play(level, seal(4));
  assert.deepEqual(w.feed(seal(3)), ['log']);
  assert.deepEqual(w.feed(begin(3)), ['log']);
  assert.deepEqual(w.feed(begin(4)), ['run from 0']);
});

test('a Seal of a newer term counts, whatever its number', () => {
  const w = play(level, seal(4));
  assert.deepEqual(w.feed(seal(1, 2)), ['sealed 1 at 0']);
  assert.deepEqual(w.feed(begin(4)), ['log']);
});

test('who is behind pulls the state first (rule 8)', () => {
  const w = play(level, seal(1));
  assert.deepEqual(w.feed(begin(1, 3)), ['catch-up from 3']);
  assert.deepEqual(w.feed({ kind: 'level', step: 3 }), ['run from 3']);
});

test('a joiner without state says so', () => {
  assert.deepEqual(play().feed(seal(1)), ['sealed 1 at 0 without state']);
});

test('a catch-up is abandoned like an update', () => {
  const w = play(level, seal(1), begin(1, 3));
  assert.deepEqual(w.feed(seal(2)), ['abandon']);
  assert.deepEqual(w.feed({ kind: 'abandoned' }), ['sealed 2 at 0']);
});

test('a repeated Begin changes nothing (rule 12), and one that was never sealed here is refused', () => {
  const w = play(level, seal(1), begin(1));
  assert.deepEqual(w.feed(begin(1)), []);
  assert.deepEqual(w.feed(begin(2)), ['log']);
});

test('only the End lets a worker exit (rule 16)', () => {
  const w = play(level, seal(1), begin(1));
  assert.deepEqual(w.feed({ kind: 'message', message: { kind: 'end', generation: g(1) } }), ['exit']);
});
