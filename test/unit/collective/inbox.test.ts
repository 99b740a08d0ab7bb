import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Abandoned } from '../../../src/collective/faults.js';
import type { Frame, Round } from '../../../src/collective/frame.js';
import { Inbox } from '../../../src/collective/inbox.js';

const round = (step: number, purpose: Round['purpose'] = 'gradient', generation = 4): Round => ({
  generation,
  step,
  purpose,
});
const frame = (at: Round, bytes: readonly number[], offset = 0): Frame => ({
  kind: 'nodes',
  round: at,
  slice: 0,
  offset,
  payload: Uint8Array.from(bytes),
});

test('frames that come early wait until they are expected', async () => {
  const inbox = new Inbox(4, 2);
  inbox.openRound(round(1));
  inbox.deliver(1, frame(round(2), [5, 6, 7, 8], 1));
  inbox.deliver(1, frame(round(2), [1, 2, 3, 4], 0));
  const target = new Uint8Array(8);
  inbox.openRound(round(2));
  await inbox.expect(1, round(2), 'nodes', 0, target);
  assert.deepEqual([...target], [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('an evaluation comes after the step that it evaluates', () => {
  const inbox = new Inbox(4, 2);
  inbox.openRound(round(3, 'evaluation'));
  assert.throws(() => inbox.deliver(1, frame(round(3), [0, 0, 0, 0])), { code: 'STALE_ROUND' });
  inbox.deliver(1, frame(round(4), [0, 0, 0, 0]));
});

test('stale rounds and other generations are refused by name', () => {
  const inbox = new Inbox(4, 2);
  inbox.openRound(round(7));
  assert.throws(() => inbox.deliver(1, frame(round(6), [])), {
    code: 'STALE_ROUND',
    message: /rank 1 sent step 6 of generation 4/,
  });
  assert.throws(() => inbox.deliver(1, frame(round(7, 'gradient', 5), [])), { code: 'STALE_ROUND' });
});

test('more than there is room for is refused', async () => {
  const inbox = new Inbox(4, 2);
  inbox.openRound(round(1));
  void inbox.expect(1, round(1), 'nodes', 0, new Uint8Array(4));
  assert.throws(() => inbox.deliver(1, frame(round(1), [1, 2, 3, 4, 5])), { code: 'EXCHANGE_OVERFLOW' });
});

test('closing rejects whoever waits, now and later, and drops what still comes', async () => {
  const inbox = new Inbox(4, 2);
  inbox.openRound(round(1));
  const waiting = inbox.expect(1, round(1), 'nodes', 0, new Uint8Array(4));
  inbox.close('membership is changing');
  await assert.rejects(waiting, Abandoned);
  await assert.rejects(inbox.expect(1, round(1), 'sum', 0, new Uint8Array(4)), Abandoned);
  inbox.deliver(1, frame(round(1), [1, 2, 3, 4]));
});
