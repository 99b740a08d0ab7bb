import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { CheckpointKeeper } from '../../../src/coordinator/checkpoint-keeper.js';
import type { RunEvent } from '../../../src/core/events.js';
import type { StateSnapshot } from '../../../src/transport/grpc/exchange-server.js';
import { FakeClock } from '../fake-clock.js';

/** A keeper whose worker and disk answer when the test says so. */
function keeper() {
  const clock = new FakeClock();
  const events: RunEvent[] = [];
  const pulls: { step: number; address: string; answer(step: number): void; fail(reason: string): void }[] = [];
  const saves: { step: number; done(): void; fail(reason: string): void }[] = [];
  const records = { step: 1000 };
  const made = new CheckpointKeeper({
    clock,
    show: (event) => events.push(event),
    recordedStep: () => records.step,
    secondsTotal: () => 7,
    peers: {
      pullState: (address, _generation, { what, step }, signal) =>
        new Promise<StateSnapshot>((resolve, reject) => {
          assert.equal(what, 'checkpoint');
          const fail = (reason: string): void => reject(new Error(reason));
          signal?.addEventListener('abort', () => fail('cancelled'));
          const answer = (at: number): void => resolve({ description: JSON.stringify({ step: at }), vectors: [] });
          pulls.push({ step, address, answer, fail });
        }),
    },
    save: (step) =>
      new Promise<void>((resolve, reject) => {
        saves.push({ step, done: resolve, fail: (reason) => reject(new Error(reason)) });
      }),
  });
  const offer = (step: number, address = 'a:1'): void =>
    made.offer({ member: { workerId: 'w', address }, generation: { term: 1, number: 1 }, step });
  return { keeper: made, clock, events, pulls, saves, records, offer };
}

test('one after the other; while the disk is slow the newest offer counts', async () => {
  const { clock, events, pulls, saves, offer } = keeper();
  offer(5);
  pulls[0]!.answer(5);
  await turn();
  for (const step of [10, 15, 20]) offer(step);
  await turn();
  assert.equal(pulls.length, 1, 'the first is still being written');
  clock.advance(2000);
  saves[0]!.done();
  await turn();
  assert.deepEqual(
    pulls.map(({ step }) => step),
    [5, 20],
  );
  pulls[1]!.answer(25); //                                            the worker has a newer one by now
  await turn();
  saves[1]!.done();
  await turn();
  assert.deepEqual(events, [
    { type: 'checkpoint', step: 5, seconds: 2 },
    { type: 'checkpoint', step: 25, seconds: 0 },
  ]);
  offer(25); //                                                       told only now, and stored already
  await turn();
  assert.equal(pulls.length, 2);
});

test('a worker that is lost and a disk that is full are told, and the next checkpoint is tried', async () => {
  const { events, pulls, saves, offer } = keeper();
  offer(5);
  pulls[0]!.fail('the stream broke');
  await turn();
  offer(10, 'b:2');
  assert.equal(pulls[1]!.address, 'b:2');
  pulls[1]!.answer(10);
  await turn();
  saves[0]!.fail('no room');
  await turn();
  offer(15, 'b:2');
  pulls[2]!.answer(15);
  await turn();
  saves[1]!.done();
  await turn();
  assert.deepEqual(events, [
    { type: 'checkpoint-failed', step: 5, reason: 'the stream broke' },
    { type: 'checkpoint-failed', step: 10, reason: 'no room' },
    { type: 'checkpoint', step: 15, seconds: 0 },
  ]);
});

test('is not written before the records of its steps are there', async () => {
  const { clock, pulls, saves, records, offer } = keeper();
  records.step = 9;
  offer(5);
  pulls[0]!.answer(10);
  await turn();
  clock.advance(500);
  await turn();
  assert.equal(saves.length, 0);
  records.step = 10;
  clock.advance(100);
  await turn();
  assert.equal(saves[0]?.step, 10);
});

test('closing gives up what is being fetched, and waits for what is being written', async () => {
  const fetching = keeper();
  fetching.offer(5);
  await fetching.keeper.close();
  assert.deepEqual(fetching.events, [], 'nobody is told of what was given up');
  fetching.offer(10);
  assert.equal(fetching.pulls.length, 1);

  const writing = keeper();
  writing.offer(5);
  writing.pulls[0]!.answer(5);
  await turn();
  writing.offer(10);
  let isClosed = false;
  const closing = writing.keeper.close().then(() => (isClosed = true));
  await turn();
  assert.equal(isClosed, false);
  writing.saves[0]!.done();
  await closing;
  assert.equal(writing.pulls.length, 1);
});
