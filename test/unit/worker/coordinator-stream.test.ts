import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChannelListener, FromCoordinator, FromWorker, Hello, Welcome } from '../../../src/cluster/session.js';
import { randomStream } from '../../../src/core/random.js';
import { CoordinatorStream } from '../../../src/worker/coordinator-stream.js';
import { FakeClock } from '../fake-clock.js';

const identity = { workerId: 'w', host: 'h', pid: 1, metricsAddress: 'h:2' };
const hello: Hello = { kind: 'hello', protocolVersion: 1, numericsVersion: 1, ...identity };
const beat: FromWorker = { kind: 'heartbeat', sentAtMs: 0, timings: [] };
const welcome: Welcome = { kind: 'welcome', runId: 'r', runSpec: '{}', recordedStep: 0, hubPort: 0 };
/** Lets what was resolved be noticed. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A stream over channels whose other ends are in the hands of the test. */
function streamOf() {
  const clock = new FakeClock();
  const channels: { sent: FromWorker[]; listener: ChannelListener<FromCoordinator>; isClosed: boolean }[] = [];
  const told: string[] = [];
  const stream = new CoordinatorStream(
    {
      hello,
      dial: () => {
        const channel = { sent: [] as FromWorker[], listener: undefined as never, isClosed: false };
        channels.push(channel);
        return Promise.resolve({
          send: (message: FromWorker) => void channel.sent.push(message),
          listen: (listener: ChannelListener<FromCoordinator>) => void Object.assign(channel, { listener }),
          close: () => (channel.isClosed = true),
        });
      },
      clock,
      random: randomStream(1, 'test'),
    },
    {
      attached: () => told.push('attached'),
      message: ({ kind }) => told.push(kind),
      detached: (reason) => told.push(`detached: ${reason}`),
    },
  );
  return { clock, channels, told, stream };
}

describe('CoordinatorStream', () => {
  test('opens a broken stream again, says Hello first, and drops what nobody hears', async () => {
    const { clock, channels, told, stream } = streamOf();
    stream.start();
    await settle();
    stream.send(beat);
    assert.deepEqual(channels[0]!.sent, [hello], 'nothing but a Hello before the Welcome');
    channels[0]!.listener.message(welcome);
    stream.send({ kind: 'leaving' });
    channels[0]!.listener.closed('gone');
    stream.send(beat);
    clock.advance(50);
    await settle();
    channels[1]!.listener.message(welcome);
    channels[1]!.listener.message({ kind: 'dismissed' });
    stream.send(beat);
    assert.deepEqual(
      channels.map(({ sent }) => sent.map(({ kind }) => kind)),
      [
        ['hello', 'leaving'],
        ['hello', 'heartbeat'],
      ],
    );
    assert.deepEqual(told, ['attached', 'detached: gone', 'attached', 'dismissed']);
  });

  test('waits longer from attempt to attempt, at most a quarter of a second, and says only once that nobody is there', async () => {
    const { clock, channels, told, stream } = streamOf();
    stream.start();
    await settle();
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 12; attempt++) {
      channels.at(-1)!.listener.closed('refused');
      const dueMs = clock.nextDueMs! - clock.nowMs();
      pauses.push(dueMs);
      clock.advance(dueMs);
      await settle();
    }
    for (const [i, pauseMs] of pauses.entries()) {
      const longestMs = Math.min(250, 50 * 2 ** i);
      assert.ok(pauseMs >= longestMs / 2 && pauseMs <= longestMs, `${i}: ${pauseMs}`);
    }
    assert.deepEqual(told, ['detached: refused']);
    stream.close();
    assert.equal(clock.pendingTimers, 0);
    assert.equal(channels.at(-1)!.isClosed, true);
  });

  test('gives a coordinator up that takes the stream and says nothing, and heeds it no more', async () => {
    const { clock, channels, told, stream } = streamOf();
    stream.start();
    await settle();
    clock.advance(20_000);
    assert.equal(channels[0]!.isClosed, true);
    assert.deepEqual(told, ['detached: it did not answer within 20 s']);
    channels[0]!.listener.message(welcome);
    assert.equal(stream.isOpen, false);
    stream.close();
  });
});
