import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import type { PublicEvent } from '../../src/live/public-events.js';
import { connectNats } from '../../src/transport/nats/connection.js';
import { eventSubject, streamOf } from '../../src/transport/nats/event-subjects.js';
import { EventStream } from '../../src/transport/nats/event-stream.js';
import { readEventStream } from '../../src/transport/nats/read-events.js';
import { runToEnd, start, workshop, type Running } from '../e2e/lockstep.js';
import { natsMissing, NatsServer } from '../e2e/nats-server.js';

/** The events of runs in a real NATS server. */

const skip = natsMissing();
const place = workshop({ after });
const data = place.smallDataset();
/** Of a run that is stopped, not one that ends: however slow the machine is, it goes on while it is needed. */
const spec = ['--global-batch', '48', '--micro-batch', '6', '--steps', '100000', '--workers', '2'];
const server = new NatsServer();
before(async () => {
  if (skip === false) await server.start();
});
after(() => server.close());

function startCoordinator(run: string, out: string, ...more: readonly string[]): Running {
  const where = ['--port', '0', '--metrics-port', '0', '--json', '--out', place.path(out)];
  return start(['coordinator', '--dataset', data, '--nats', server.url, '--run', run, ...where, ...more], place.folder);
}

function startWorker(run: string, name: string): Running {
  const flags = ['--nats', server.url, '--run', run, '--name', name, '--exchange-port', '0', '--metrics-port', '0'];
  return start(['worker', ...flags], place.folder);
}

function startEvents(run: string, ...more: readonly string[]): Running {
  return start(['events', '--nats', server.url, '--run', run, ...more], place.folder);
}

const parsed = (text: string): readonly PublicEvent[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as PublicEvent);

const inFolder = (out: string) => parsed(readFileSync(join(place.path(out), 'events.jsonl'), 'utf8'));

function ofType<T extends PublicEvent['type']>(events: readonly PublicEvent[], type: T) {
  return events.filter((event): event is Extract<PublicEvent, { type: T }> => event.type === type);
}

/** Ends a run at the next step boundary, with everything stored. */
async function stop(coordinator: Running, workers: readonly Running[]): Promise<void> {
  coordinator.child.kill('SIGTERM');
  const { code, stderr } = await coordinator.ended;
  assert.equal(code, 130, stderr);
  for (const { ended } of workers) await ended;
}

/** Nothing is missing, nothing there twice. */
function assertWhole(events: readonly PublicEvent[]): void {
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    events.map((_, i) => i + 1),
  );
  let step = 0;
  for (const { firstStep, lastStep } of ofType(events, 'steps')) {
    assert.equal(firstStep, step + 1, 'summaries follow each other');
    step = lastStep;
  }
  assert.equal(step, ofType(events, 'finished')[0]?.steps, 'up to the last step');
  const evaluated = ofType(events, 'evaluation').map((event) => event.step);
  assert.equal(new Set(evaluated).size, evaluated.length, 'each evaluation once');
  assert.equal(ofType(events, 'started').length, 1);
  assert.equal(events.at(-1)?.type, 'finished');
}

test('a standby goes on with the events where the coordinator was killed', { skip }, async () => {
  const first = startCoordinator('standby', 'first', ...spec);
  const workers = ['anna', 'bert'].map((name) => startWorker('standby', name));
  await first.seen(/"type":"step","step":50,/);
  const follower = startEvents('standby', '--follow');
  await follower.seen(/"type":"steps"/);
  const second = startCoordinator('standby', 'second', '--standby');
  await second.complained(/standing by for run standby/);
  first.child.kill('SIGKILL');
  await second.seen(/"type":"restored".*"type":"evaluation"/s);
  await stop(second, workers);

  const { code, stdout, stderr } = await follower.ended;
  assert.equal(code, 0, stderr);
  const followed = parsed(stdout);
  assertWhole(followed);
  assert.equal(ofType(followed, 'restored').length, 1);
  const joined = ofType(followed, 'joined').map(({ worker }) => worker);
  assert.deepEqual([...joined].sort(), ['anna', 'bert'], 'nobody joins twice');
  assert.deepEqual(ofType(followed, 'left'), []);
  const replayed = parsed((await startEvents('standby').ended).stdout);
  assert.deepEqual(replayed, followed);
  assert.deepEqual(inFolder('second'), followed, 'the folder of the standby has them, too');
  const later = parsed((await startEvents('standby', '--since', '3').ended).stdout);
  assert.deepEqual(later, followed.slice(3));
  const fromThen = parsed((await startEvents('standby', '--since', followed[4]!.time).ended).stdout);
  assert.deepEqual(
    fromThen,
    followed.filter(({ time }) => time >= followed[4]!.time),
  );
});

test('what happens while NATS is out of reach is in the stream when it is back', { skip }, async () => {
  const coordinator = startCoordinator('outage', 'outage', ...spec);
  const workers = ['anna', 'bert'].map((name) => startWorker('outage', name));
  await coordinator.seen(/"type":"step","step":20,/);
  const follower = startEvents('outage', '--follow');
  await follower.seen(/"type":"steps"/);
  await server.kill();
  await coordinator.complained(/NATS at .* is out of reach/);
  const evaluations = coordinator.written().split('"type":"evaluation"').length;
  await coordinator.seen(new RegExp(`("type":"evaluation".*){${evaluations}}`, 's')); // told while nobody takes it
  await server.start();
  await stop(coordinator, workers);
  const followed = parsed((await follower.ended).stdout);
  assertWhole(followed);
  assert.deepEqual(inFolder('outage'), followed);
});

describe('the stream', { skip }, () => {
  const event = (sequence: number, text = ''): PublicEvent => ({
    schema: 1,
    sequence,
    time: '2026-11-28T09:30:00.000Z',
    run: 'id',
    type: 'stopping',
    reason: text,
  });

  async function connected(t: { after(fn: () => Promise<void>): void }) {
    const log = { info: (text: string) => said.push(text), warn: (text: string) => said.push(text) };
    const said: string[] = [];
    const connection = await connectNats({ url: server.url }, 'test', { log });
    t.after(() => connection.close());
    const open = (run: string, writer: string) => {
      const seen = { earlier: [] as PublicEvent[], waiting: [] as number[], givenUp: 0 };
      const needs = {
        clock: systemClock,
        log,
        onEarlier: (earlier: PublicEvent) => seen.earlier.push(earlier),
        onWaiting: (waiting: number) => seen.waiting.push(waiting),
        onGivenUp: () => (seen.givenUp += 1),
      };
      return EventStream.open(connection, { run, runId: 'id', writer }, needs).then((stream) => ({ stream, seen }));
    };
    const stored = async (run: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const kept of readEventStream(connection, run, systemClock))
        found.push(`${kept.sequence}${'reason' in kept ? kept.reason : ''}`);
      return found;
    };
    return { connection, open, stored, said };
  }

  test('takes nothing from a coordinator that was replaced', async (t) => {
    const { open, stored, said } = await connected(t);
    const { stream: first } = await open('replaced', 'first');
    first.publish(event(1));
    await first.close(60_000);
    const { stream: stopped } = await open('replaced', 'stopped');
    const { stream: second, seen } = await open('replaced', 'second');
    assert.deepEqual([seen.earlier.length, second.lastEarlier], [1, 1]);
    stopped.publish(event(2, 'stale'));
    await stopped.close(60_000);
    second.publish(event(2));
    second.publish(event(3));
    await second.close(60_000);
    assert.deepEqual(await stored('replaced'), ['1', '2', '3']);
    assert.ok(said.includes('another coordinator tells the events of this run now'), said.join('\n'));
  });

  test('goes on after a message of somebody who is no coordinator', async (t) => {
    const { connection, open, stored } = await connected(t);
    const { stream } = await open('foreign', 'first');
    stream.publish(event(1));
    await connection.jetstream().publish(eventSubject('foreign', 'note'), JSON.stringify(event(77)));
    stream.publish(event(2));
    await stream.close(60_000);
    assert.deepEqual(
      (await stored('foreign')).filter((text) => text !== '77'),
      ['1', '2'],
    );
  });

  test('goes on where the server has lost what it had', async (t) => {
    const { connection, open, stored } = await connected(t);
    const { stream } = await open('lost', 'first');
    stream.publish(event(1));
    await stream.close(60_000);
    const { stream: again } = await open('lost', 'first');
    await (await connection.jetstreamManager()).streams.delete(streamOf('lost'));
    again.publish(event(2));
    again.publish(event(3));
    await again.close(60_000);
    assert.deepEqual(await stored('lost'), ['2', '3']);
  });

  test('gives up the oldest when the server is away for too long, and says so once', async (t) => {
    const { open, stored, said } = await connected(t);
    const { stream, seen } = await open('full', 'first');
    await server.kill();
    for (let sequence = 1; sequence <= 4_100; sequence++) stream.publish(event(sequence));
    assert.deepEqual([seen.givenUp, Math.max(...seen.waiting)], [4, 4096]);
    await server.start();
    await stream.close(60_000);
    assert.deepEqual(
      await stored('full'),
      Array.from({ length: 4096 }, (_, i) => String(i + 5)),
    );
    assert.equal(said.filter((text) => text.includes('will not get all events')).length, 1);
  });
});

test('what is wrong with the question is said in one line', { skip }, async () => {
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['--run', 'r'], 2, /--run r needs --nats \[NATS_INCOMPLETE\]/],
    [['--nats', server.url], 2, /NATS_INCOMPLETE/],
    [['--nats', server.url, '--run', 'a.b'], 2, /--run a\.b: expected letters, digits/],
    [['--nats', server.url, '--run', 'nobody'], 1, /no run at nobody in NATS: no event of it is kept/],
    [['--since', 'yesterday'], 2, /--since yesterday is neither/],
  ];
  for (const [flags, code, message] of cases) {
    const ended = await runToEnd(['events', ...flags], place.folder);
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, message);
  }
});
