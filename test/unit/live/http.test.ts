import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import type { RunReport } from '../../../src/core/events.js';
import { Audience, audienceMax } from '../../../src/live/audience.js';
import { readPage } from '../../../src/live/page.js';
import type { Picture } from '../../../src/live/picture.js';
import type { PublicEvent } from '../../../src/live/public-events.js';
import { Recorder } from '../../../src/live/recorder.js';
import { liveRoutes } from '../../../src/live/routes.js';
import { FakeClock } from '../fake-clock.js';

async function served(t: TestContext) {
  const clock = new FakeClock();
  const recorder = new Recorder({ runId: 'r1', config: {}, clock, wallTimeMs: () => 0 });
  const audience = new Audience(recorder, clock);
  const route = liveRoutes({ recorder, audience, page: readPage(), workers: () => ['10.0.0.2:9465'] });
  const server = createServer((request, response) => {
    if (!route(request, response)) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { clock, recorder, audience, host, at: (path: string) => `http://${host}${path}` };
}

/** What comes on a connection, piece by piece: the next text that has `pattern` in it. */
function reader(response: Response) {
  const texts = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let held = '';
  return async (pattern: RegExp): Promise<string> => {
    for (;;) {
      if (pattern.test(held)) {
        const text = held;
        held = '';
        return text;
      }
      const { value, done } = await texts.read();
      if (done) throw new Error(`the stream ended without ${String(pattern)}: ${held}`);
      held += value;
    }
  };
}

const pictureIn = (text: string) => JSON.parse(/^data: (.*)$/m.exec(text)![1]!) as Picture;

describe('what the coordinator serves', () => {
  test('the page, which may run its own script and ask its own server, and nothing else', async (t) => {
    const { at } = await served(t);
    const response = await fetch(at('/'));
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(
      policy,
      /default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self';/,
    );
    assert.doesNotMatch(policy, /unsafe/);
    assert.doesNotMatch(await response.text(), /(src|href)="(?!data:)/, 'nothing is loaded from anywhere');
  });

  test('where Prometheus finds everybody', async (t) => {
    const { at, host } = await served(t);
    assert.deepEqual(await (await fetch(at('/api/targets'))).json(), [
      { targets: [host], labels: { job: 'lockstep-coordinator' } },
      { targets: ['10.0.0.2:9465'], labels: { job: 'lockstep-worker' } },
    ]);
  });

  test('the picture, then what changes in it, then the end', async (t) => {
    const { at, recorder, clock, audience } = await served(t);
    const next = reader(await fetch(at('/api/live')));
    assert.equal(pictureIn(await next(/\n\n/)).state, 'waiting');
    recorder.observe({ type: 'stopping', reason: 'enough' });
    clock.advance(500);
    assert.equal(pictureIn(await next(/\n\n/)).state, 'stopping');
    clock.advance(5_000);
    clock.advance(10_000); //                                       nothing changed
    assert.equal(await next(/\n\n/), ':\n\n', 'a sign of life');
    recorder.observe({ type: 'result', outcome: 'interrupted', steps: 0 } as RunReport & { type: 'result' });
    const closed = audience.close();
    const last = await next(/event: end/);
    assert.equal(pictureIn(last).state, 'finished');
    await closed;
  });

  test('events once, from a sequence on, and as they come', async (t) => {
    const { at, recorder, audience } = await served(t);
    for (const step of [1, 2, 3]) recorder.observe({ type: 'checkpoint', step, seconds: 1 });
    const lines = (await (await fetch(at('/api/events?since=1'))).text()).trim().split('\n');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as PublicEvent).sequence),
      [2, 3],
    );
    const followed = reader(await fetch(at('/api/events?since=2&follow=true')));
    assert.match(await followed(/\n/), /"sequence":3/);
    const headers = { accept: 'text/event-stream', 'last-event-id': '3' };
    const streamed = reader(await fetch(at('/api/events'), { headers }));
    recorder.observe({ type: 'checkpoint', step: 4, seconds: 1 });
    assert.match(await followed(/\n/), /^\{"schema":1,"sequence":4/);
    assert.match(await streamed(/\n\n/), /^id: 4\nevent: checkpoint\ndata: \{"schema":1,/);
    await audience.close();
    await assert.rejects(followed(/more/), /ended/);
  });

  test('refuses what makes no sense, and more people than it has room for', async (t) => {
    const { at } = await served(t);
    assert.equal((await fetch(at('/api/events?since=yesterday'))).status, 400);
    assert.equal((await fetch(at('/api/else'))).status, 404);
    const all = await Promise.all(Array.from({ length: audienceMax }, () => fetch(at('/api/live'))));
    assert.ok(all.every(({ status }) => status === 200));
    const late = await fetch(at('/api/live'));
    assert.deepEqual([late.status, late.headers.get('retry-after')], [503, '30']);
  });
});
