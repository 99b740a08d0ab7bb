import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { LockstepError } from '../../../src/core/errors.js';
import { MetricsExporter, Registry, workerMetrics } from '../../../src/metrics/index.js';

async function exporterFor(t: TestContext, health = { healthy: true, state: 'training' }, port = 0) {
  const registry = new Registry();
  workerMetrics(registry).steps.inc(3);
  const exporter = new MetricsExporter({ registry, health: () => health }, { host: '127.0.0.1', port });
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
    const health = { healthy: true, state: 'training' };
    const { port } = await exporterFor(t, health);
    const at = `http://127.0.0.1:${port}/healthz`;
    const well = await fetch(at);
    assert.deepEqual([well.status, await well.json()], [200, { healthy: true, state: 'training' }]);
    Object.assign(health, { healthy: false, state: 'cluster lost' });
    const ill = await fetch(at);
    assert.deepEqual([ill.status, await ill.json()], [503, { healthy: false, state: 'cluster lost' }]);
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
