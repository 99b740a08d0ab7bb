import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Abandoned } from '../../../src/collective/faults.js';
import { fetchPayload, writeHeader, type Frame, type Round } from '../../../src/collective/frame.js';
import { Inbox, type Receiver } from '../../../src/collective/inbox.js';

const round = (step: number, purpose: Round['purpose'] = 'gradient', generation = 4): Round => ({
  generation,
  step,
  purpose,
});
const frame = (at: Round, bytes: readonly number[], kind: Frame['kind'] = 'nodes'): Frame => ({
  kind,
  round: at,
  slice: 0,
  node: 0,
  payload: Uint8Array.from(bytes),
});

function receiver() {
  const received: (readonly [number, number])[] = [];
  const failures: Error[] = [];
  const to: Receiver = {
    receive: (from, frame) => {
      const bytes = new Uint8Array(frame.payload.byteLength);
      fetchPayload(frame, bytes);
      received.push([from, bytes[0]!]);
    },
    fail: (error) => void failures.push(error),
  };
  return { received, failures, to };
}

test('frames that come early wait until their round begins', () => {
  const inbox = new Inbox(4);
  inbox.open(round(1), receiver().to);
  inbox.deliver(1, frame(round(2), [5]));
  inbox.deliver(2, frame(round(2), [6]));
  const second = receiver();
  inbox.open(round(2), second.to);
  inbox.deliver(1, frame(round(2), [7]));
  assert.deepEqual(second.received, [
    [1, 5],
    [2, 6],
    [1, 7],
  ]);
});

test('an evaluation comes after the step that it evaluates', () => {
  const inbox = new Inbox(4);
  inbox.open(round(3, 'evaluation'), receiver().to);
  assert.throws(() => inbox.deliver(1, frame(round(3), [0])), { code: 'STALE_ROUND' });
  inbox.deliver(1, frame(round(4), [0]));
});

test('stale rounds and other generations are refused by name', () => {
  const inbox = new Inbox(4);
  inbox.open(round(7), receiver().to);
  assert.throws(() => inbox.deliver(1, frame(round(6), [])), {
    code: 'STALE_ROUND',
    message: 'rank 1 sent step 6 of generation 4, but we are at step 7 of generation 4',
  });
  assert.throws(() => inbox.deliver(1, frame(round(7, 'gradient', 5), [])), { code: 'STALE_ROUND' });
});

test('what comes early is bounded for each peer, and room is given back', () => {
  const inbox = new Inbox(4);
  const most = 64 * 1024 * 1024;
  inbox.open(round(1), receiver().to);
  const large = (step: number): Frame => ({ ...frame(round(step), []), payload: new Uint8Array(most / 2) });
  for (let step = 2; step < 5; step++) {
    inbox.deliver(1, large(step));
    inbox.deliver(2, large(step));
    inbox.deliver(1, large(step + 1));
    assert.throws(() => inbox.deliver(1, large(step + 1)), {
      code: 'EXCHANGE_OVERFLOW',
      message: new RegExp(`^rank 1 sent ${(most / 2) * 3} bytes for step ${step + 1} of generation 4`),
    });
    inbox.open(round(step), receiver().to);
    inbox.open(round(step + 1), receiver().to);
    step += 1;
  }
});

test('a node that came second is dropped when its round is over, and no other', () => {
  const inbox = new Inbox(4);
  inbox.open(round(1), receiver().to);
  inbox.supersede(1, round(1));
  const { received, to } = receiver();
  inbox.open(round(2), to);
  inbox.deliver(1, frame(round(1), [1]));
  inbox.deliver(2, frame(round(1), [2], 'copy'));
  assert.throws(() => inbox.deliver(2, frame(round(1), [3])), { code: 'STALE_ROUND' });
  assert.throws(() => inbox.deliver(1, frame(round(1), [4], 'sum')), { code: 'STALE_ROUND' });
  assert.throws(() => inbox.deliver(2, frame(round(1, 'gradient', 3), [5], 'copy')), { code: 'STALE_ROUND' });
  assert.deepEqual(received, []);
});

test('closing fails the round at hand and later ones, and drops what still comes', () => {
  const inbox = new Inbox(4);
  const first = receiver();
  inbox.open(round(1), first.to);
  inbox.close('membership is changing');
  const second = receiver();
  inbox.open(round(2), second.to);
  inbox.deliver(1, frame(round(2), [1]));
  for (const { failures, received } of [first, second]) {
    assert.ok(failures[0] instanceof Abandoned);
    assert.deepEqual(received, []);
  }
});

test('a hub learns of the next round from the first header, and of the end', async () => {
  const inbox = new Inbox(4);
  const next = inbox.nextHeader();
  inbox.deliver(1, frame(round(1), [5]));
  const header = { count: 9, length: 263, bits: 0xfffffffe, isBehind: true };
  inbox.deliver(0, frame(round(1), [...writeHeader(header)], 'header'));
  assert.deepEqual(await next, { round: round(1), ...header });
  inbox.open(round(1), receiver().to);
  const none = inbox.nextHeader();
  inbox.close('over');
  await assert.rejects(none, Abandoned);
});
