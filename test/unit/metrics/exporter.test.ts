import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { LockstepError } from '../../../src/core/errors.js';
import { type Access, MetricsExporter, Registry, workerMetrics } from '../../../src/metrics/index.js';

async function exporterFor(
  t: TestContext,
  health = { healthy: true, ready: true, state: 'training' },
  port = 0,
  access?: Access,
) {
  const registry = new Registry();
  workerMetrics(registry).steps.inc(3);
  const exporter = new MetricsExporter({ registry, health: () => health, access }, { host: '127.0.0.1', port });
  t.after(() => exporter.stop());
  return { exporter, ...(await exporter.start()) };
}

describe('the exporter', () => {
  test('serves the registry in the format that Prometheus reads', async (t) => {
    const { url, port } = await exporterFor(t);
    assert.ok(port > 0);
    assert.equal(url, `http://127.0.0.1:${port}/metrics`);
    const response = await fetch(`${url}?x=1`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    assert.match(await response.text(), /^lockstep_worker_steps_total 3$/m);
  });

  test('says how the process is', async (t) => {
    const health = { healthy: true, ready: true, state: 'training' };
    const { port } = await exporterFor(t, health);
    const at = `http://127.0.0.1:${port}/healthz`;
    const well = await fetch(at);
    assert.deepEqual([well.status, await well.json()], [200, { healthy: true, ready: true, state: 'training' }]);
    Object.assign(health, { healthy: false, ready: false, state: 'cluster lost' });
    const ill = await fetch(at);
    assert.deepEqual([ill.status, await ill.json()], [503, { healthy: false, ready: false, state: 'cluster lost' }]);
  });

  test('is ready later than it is well', async (t) => {
    const { port } = await exporterFor(t, { healthy: true, ready: false, state: 'joining' });
    const [well, ready] = await Promise.all(
      ['healthz', 'readyz'].map(async (path) => (await fetch(`http://127.0.0.1:${port}/${path}`)).status),
    );
    assert.deepEqual([well, ready], [200, 503]);
  });

  test('shows metrics to whoever has the token, and its health to everybody', async (t) => {
    const known: { token?: string } = {};
    const { port } = await exporterFor(t, undefined, 0, { token: () => known.token });
    const at = (path: string, headers: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers, redirect: 'manual' });
    const status = async (...request: Parameters<typeof at>) => (await at(...request)).status;
    assert.equal(await status('/metrics?token=undefined'), 401, 'before there is a token nobody reads');
    known.token = 'geheim';
    assert.equal(await status('/metrics'), 401);
    assert.equal(await status('/metrics', { authorization: 'Bearer geheim' }), 200);
    assert.equal(await status('/metrics', { authorization: 'Bearer gehei' }), 401);
    assert.equal(await status('/metrics', { cookie: 'a=b; lockstep-token=geheim' }), 200);
    assert.equal(await status('/metrics?token=geheim'), 200);
    assert.equal(await status('/elsewhere'), 401);
    assert.equal(await status('/elsewhere?token=%'), 401);
    for (const path of ['/healthz', '/readyz']) assert.equal(await status(path), 200);
    const page = await at('/?token=geheim');
    assert.deepEqual([page.status, page.headers.get('location')], [303, '/']);
    assert.match(page.headers.get('set-cookie') ?? '', /^lockstep-token=geheim; HttpOnly; SameSite=Strict/);
  });

  test('refuses other paths and methods', async (t) => {
    const { port } = await exporterFor(t);
    const answers = await Promise.all([
      fetch(`http://127.0.0.1:${port}/`),
      fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST', body: 'x' }),
      fetch(`http://127.0.0.1:${port}/metrics`, { method: 'HEAD' }),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [404, 405, 200],
    );
    await Promise.all(answers.map((answer) => answer.text()));
  });

  test('names a port that is taken, and the flag that changes it', async (t) => {
    const { port } = await exporterFor(t);
    await assert.rejects(exporterFor(t, undefined, port), (error) => {
      assert.ok(error instanceof LockstepError);
      assert.equal(error.code, 'PORT_IN_USE');
      assert.match(error.message, new RegExp(`port ${port} on 127\\.0\\.0\\.1 .*--metrics-port ${port}`));
      return true;
    });
  });

  test('stops twice', async (t) => {
    const { exporter, url } = await exporterFor(t);
    await (await fetch(url)).text(); // fetch keeps the connection open
    await exporter.stop();
    await exporter.stop();
    await assert.rejects(fetch(url));
  });

  test('stops although somebody never finishes a request', { timeout: 10_000 }, async (t) => {
    const { exporter, host, port } = await exporterFor(t);
    const socket = connect({ host, port });
    socket.on('error', () => undefined); // reset or closed, both are an end
    await once(socket, 'connect');
    await new Promise<void>((resolve) => void socket.write('GET /metrics HTTP/1.1\r\n', () => resolve()));
    await (await fetch(`http://127.0.0.1:${port}/healthz`)).text(); // by now the server has seen the first one
    const closed = once(socket, 'close');
    await exporter.stop();
    await closed;
  });
});
