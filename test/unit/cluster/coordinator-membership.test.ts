import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advanceCoordinator } from '../../../src/cluster/coordinator-membership.js';
import { play, running } from './coordinator-play.js';

test('from joining to the end: Seal, journal, Begin, store, journal, End', () => {
  const c = running();
  assert.deepEqual(c.feed(c.progress('a', 1, 10, 'x')), []);
  assert.deepEqual(c.feed(c.progress('b', 1, 10, 'x')), ['store 10 from a']);
  assert.deepEqual(c.feed({ kind: 'stored' }), ['journal end']);
  assert.deepEqual(c.feed({ kind: 'appended' }), ['end 1 to a', 'end 1 to b', 'finish']);
  assert.equal(c.state.phase, 'ended');
});

test('a stop seals, and begins a generation that computes nothing', () => {
  const c = running();
  assert.deepEqual(c.feed({ kind: 'stop' }), ['seal 2 to a', 'seal 2 to b']);
  assert.deepEqual(c.feed({ kind: 'stop' }), [], 'asking twice changes nothing');
  c.feed(c.sealed('b', 2, 4));
  assert.deepEqual(c.feed(c.sealed('a', 2, 3)), ['journal begin 2: a,b, donor 1']);
  assert.deepEqual(c.feed({ kind: 'appended' }), ['begin 2 to a: after 4 until 4', 'begin 2 to b: after 4 until 4']);
});

test('a stop while the first Begin is being journaled is heeded right after it', () => {
  const c = play({ worldSize: 1, minWorkers: 1, lastStep: 10 });
  c.feed(c.join('a'));
  c.feed(c.sealed('a', 1, 0));
  assert.deepEqual(c.feed({ kind: 'stop' }), []);
  assert.deepEqual(c.feed({ kind: 'appended' }), ['begin 1 to a: after 0 until 10', 'seal 2 to a']);
});

test('a stop before everybody is here ends the run', () => {
  const c = play({ worldSize: 2, minWorkers: 2, lastStep: 10 });
  c.feed(c.join('a'));
  assert.deepEqual(c.feed({ kind: 'stop' }), ['fail INTERRUPTED']);
});

test('answers to an older Seal, repeated answers and reports of an older generation count for nothing', () => {
  const c = running();
  c.feed({ kind: 'stop' });
  assert.deepEqual(c.feed(c.sealed('a', 1, 9)), []);
  assert.deepEqual(c.feed(c.sealed('a', 2, 3)), []);
  assert.deepEqual(c.feed(c.sealed('a', 2, 3)), []);
  c.feed(c.sealed('b', 2, 3));
  c.feed({ kind: 'appended' });
  c.feed(c.progress('a', 1, 10, 'x'));
  assert.deepEqual(c.feed(c.progress('b', 1, 10, 'x')), []);
});

test('a lost worker that is needed ends the run by its name', () => {
  const c = running();
  c.feed(c.progress('a', 1, 7));
  const { actions } = advanceCoordinator(c.state, { kind: 'lost', workerId: 'b', reason: 'it was silent' });
  const [action] = actions;
  assert.ok(action?.kind === 'fail');
  assert.equal(action.error.exitCode, 3);
  assert.equal(action.error.message, 'worker b was lost after step 7 (it was silent); 1 of 2 workers are left');
});

test('a lost worker that is not needed: the others are sealed, and the most advanced of them is the donor', () => {
  const c = play({ worldSize: 3, minWorkers: 1, lastStep: 10 });
  for (const name of ['a', 'b', 'c']) c.feed(c.join(name));
  for (const name of ['a', 'b', 'c']) c.feed(c.sealed(name, 1, 0));
  c.feed({ kind: 'appended' });
  assert.deepEqual(c.feed({ kind: 'lost', workerId: 'a', reason: '' }), ['seal 2 to b', 'seal 2 to c']);
  c.feed(c.sealed('b', 2, 5));
  assert.deepEqual(c.feed(c.sealed('c', 2, 6)), ['journal begin 2: b,c, donor 1']);
});

test('a loss during a Seal asks nobody again, and does not wait for the lost', () => {
  const c = running(1);
  c.feed({ kind: 'stop' });
  c.feed(c.sealed('a', 2, 5));
  assert.deepEqual(c.feed({ kind: 'lost', workerId: 'b', reason: '' }), ['journal begin 2: a, donor 0']);
});

test('a loss while the Begin is being journaled is dealt with once it is there', () => {
  const c = running(1);
  c.feed({ kind: 'stop' });
  c.feed(c.sealed('a', 2, 5));
  c.feed(c.sealed('b', 2, 5));
  assert.deepEqual(c.feed({ kind: 'lost', workerId: 'b', reason: '' }), []);
  assert.deepEqual(c.feed({ kind: 'appended' }), ['begin 2 to a: after 5 until 5', 'seal 3 to a']);
});

test('a loss before the first step frees the place', () => {
  const c = play({ worldSize: 2, minWorkers: 2, lastStep: 10 });
  c.feed(c.join('a'));
  c.feed(c.join('b'));
  assert.deepEqual(c.feed({ kind: 'lost', workerId: 'a', reason: '' }), ['log']);
  assert.deepEqual(c.feed(c.join('d')), ['seal 2 to b', 'seal 2 to d']);
});

test('nobody with state: the run cannot go on', () => {
  const c = running();
  c.feed({ kind: 'stop' });
  c.feed(c.sealed('a', 2, 3, false));
  assert.deepEqual(c.feed(c.sealed('b', 2, 3, false)), ['fail NO_STATE_LEFT']);
});

test('different weights at the end are an error, never a result', () => {
  const c = running();
  c.feed(c.progress('a', 1, 10, 'x'));
  assert.deepEqual(c.feed(c.progress('b', 1, 10, 'y')), ['fail WEIGHTS_DIFFER']);
});

test('whoever gives the final state is lost: another one does', () => {
  const c = running(1);
  c.feed(c.progress('a', 1, 10, 'x'));
  c.feed(c.progress('b', 1, 10, 'x'));
  assert.deepEqual(c.feed({ kind: 'lost', workerId: 'a', reason: '' }), ['store 10 from b']);
});

test('a journal that cannot be written deposes the coordinator', () => {
  const c = running();
  assert.deepEqual(c.feed({ kind: 'append-failed', reason: 'disk full' }), ['fail JOURNAL_FAILED']);
  assert.deepEqual(c.feed({ kind: 'stop' }), []);
});
