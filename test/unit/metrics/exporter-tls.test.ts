import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { askRun } from '../../../src/cli/ask-run.js';
import { MetricsExporter, Registry, workerMetrics } from '../../../src/metrics/index.js';
import { Authority } from '../../../src/security/authority.js';
import { metricsName } from '../../../src/security/identity.js';
import { newKeyPair } from '../../../src/security/secrets.js';

/** Metrics and the live page beyond loopback: with the certificates of a run, which change meanwhile. */

const { authority } = await Authority.create('mnist', 1, Date.now);
const { authority: another } = await Authority.create('other', 1, Date.now);

async function certificateFor(...hosts: readonly string[]) {
  const { key, publicKey } = newKeyPair();
  return { certificate: await authority.issue({ role: 'worker', name: 'anna', hours: 1, publicKey, hosts }), key };
}

const known: { now?: Awaited<ReturnType<typeof certificateFor>> } = {};
const registry = new Registry();
workerMetrics(registry).steps.inc(3);
const health = () => ({ healthy: true, ready: true, state: 'training' });
const exporter = new MetricsExporter(
  { registry, health, access: { token: () => 'geheim' }, certificate: () => known.now },
  { host: '127.0.0.1', port: 0 },
);
let url: string;
before(async () => ({ url } = await exporter.start()));
after(() => exporter.stop());

/** As a browser or Prometheus does, each time over a new connection. */
async function get(
  path: string,
  options: object,
): Promise<{ status: number | undefined; body: string; serial: string }> {
  const asking = request(new URL(path, url), { agent: false, ...options }).end();
  const [answer] = (await once(asking, 'response')) as [import('node:http').IncomingMessage];
  const { raw } = (answer.socket as TLSSocket).getPeerCertificate();
  return { status: answer.statusCode, body: await text(answer), serial: new X509Certificate(raw).serialNumber };
}
const trust = { ca: authority.certificate, servername: metricsName };
const bearer = { authorization: 'Bearer geheim' };

test('before there is a certificate nothing but health is told, and TLS is refused', async () => {
  const plain = url.replace('https:', 'http:');
  assert.match(url, /^https:/);
  assert.equal((await fetch(plain.replace('/metrics', '/healthz'))).status, 200);
  assert.equal((await fetch(plain.replace('/metrics', '/readyz'))).status, 200);
  const refused = await fetch(plain, { headers: bearer });
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /https:/);
  await assert.rejects(get('/metrics', { ...trust, headers: bearer }));
});

test('whoever believes the authority reads with the token, by the name that all programs of a run have', async () => {
  known.now = await certificateFor();
  const { status, body } = await get('/metrics', { ...trust, headers: bearer });
  assert.equal(status, 200);
  assert.match(body, /^lockstep_worker_steps_total 3$/m);
  assert.equal((await get('/metrics', trust)).status, 401);
  await assert.rejects(get('/metrics', { headers: bearer }), /self-signed|unable to/);
  await assert.rejects(get('/metrics', { ...trust, ca: another.certificate }), /self-signed|unable to|signature/);
  await assert.rejects(get('/metrics', { ca: authority.certificate }), /does not match/, 'an address is not its name');
  const ours = await askRun(
    { url: `${url}?token=geheim`, ca: authority.certificate },
    '/metrics',
    AbortSignal.timeout(9e3),
  );
  assert.match(await text(ours), /^lockstep_worker_steps_total 3$/m);
});

test('a certificate that was renewed is shown to whoever comes next, with the hosts that are in it', async () => {
  const before = (await get('/metrics', { ...trust, headers: bearer })).serial;
  known.now = await certificateFor('127.0.0.1', 'somewhere.test');
  const { serial, status } = await get('/metrics', { ca: authority.certificate, headers: bearer });
  assert.equal(status, 200);
  assert.notEqual(serial, before);
  const answer = await get('/?token=geheim', trust);
  assert.equal(answer.status, 303, 'the page takes the token, and gives a cookie');
});

test('clients that say nothing, or no HTTP, do not keep the exporter from ending', async () => {
  const { port } = new URL(url);
  const silent = connect(Number(port), '127.0.0.1');
  await once(silent, 'connect');
  const noise = connect(Number(port), '127.0.0.1').end(Buffer.from([22, 3, 1, 0, 5, 1, 2, 3, 4, 5]));
  noise.resume();
  silent.resume();
  await once(noise, 'close');
  await exporter.stop();
  if (!silent.closed) await once(silent, 'close');
});
