import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { askRun } from '../../src/cli/ask-run.js';
import { lastLine, runToEnd, slowEngine, start, workshop, type Running } from './lockstep.js';

/** Runs beyond loopback: they listen on all networks of this machine, and everything here comes over loopback. */

const place = workshop({ after });
const data = place.smallDataset();
const spec = ['--dataset', data, '--global-batch', '48', '--micro-batch', '6'];
const everywhere = ['--listen', '0.0.0.0', '--metrics-port', '0'];

const undisturbed = (async () => {
  const flags = [
    '--workers',
    '1',
    '--steps',
    '60',
    '--metrics-port',
    '0',
    '--json',
    '--out',
    place.path('undisturbed'),
  ];
  return lastLine((await runToEnd(['train', ...spec, ...flags], place.folder)).stdout)['weightsDigest'];
})();

function coordinator(out: string, ...more: readonly string[]): Running {
  const flags = [...everywhere, '--port', '0', '--json', '--out', place.path(out), ...more];
  return start(['coordinator', ...spec, ...flags], place.folder);
}

function worker(port: string, name: string, ...more: readonly string[]): Running {
  return workerIn({}, port, name, ...more);
}

function workerIn(
  environment: Readonly<Record<string, string>>,
  port: string,
  name: string,
  ...more: readonly string[]
): Running {
  const at = ['--coordinator', `127.0.0.1:${port}`, '--advertise', '127.0.0.1', '--exchange-port', '0', '--name', name];
  return start(['worker', ...everywhere, ...at, ...more], place.folder, environment);
}

test('a coordinator that listens beyond loopback makes certificates, and prints what joins it', async () => {
  const leader = coordinator('made', '--workers', '2', '--steps', '60');
  const [, port, metricsPort, page, command] = await leader.seen(
    /"coordinator":"0\.0\.0\.0:(\d+)","metrics":"https:\/\/0\.0\.0\.0:(\d+)\/metrics","page":"(https:\/\/[^"]+)".*"join":"(lockstep worker [^"]+)"/,
  );
  const token = /--token (\S+)$/.exec(command!)![1]!;
  assert.doesNotMatch(page!, /0\.0\.0\.0/, 'it can be opened');
  assert.equal((await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).status, 200);
  assert.equal((await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).status, 403);

  const plain = worker(port!, 'plain', '--insecure', '--join-timeout', '1');
  assert.equal((await plain.ended).code, 3);
  const without = await worker(port!, 'without').ended;
  assert.equal(without.code, 2);
  assert.match(without.stderr, /NOT_SECURED.*\n.*--token/);
  const wrong = await worker(port!, 'wrong', '--token', `${token.slice(0, -4)}AAAA`).ended;
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /was not made here.*NOT_ADMITTED/);

  const unhurried = slowEngine(20); //                                the run is not over before the third one has asked
  const anna = workerIn(unhurried, port!, 'anna', '--token', token);
  await anna.complained(/gave a certificate/);
  const caPath = join(place.path('made'), 'security', 'ca.pem');
  const read = async (token: string): Promise<string> => {
    const url = `https://127.0.0.1:${metricsPort}/?token=${token}`;
    return text(await askRun({ url, ca: readFileSync(caPath, 'utf8') }, '/metrics', AbortSignal.timeout(10_000)));
  };
  await assert.rejects(read('another'), /it answers 401/);
  const metrics = await read(readFileSync(join(place.path('made'), 'security', 'metrics-token'), 'utf8').trim());
  assert.match(metrics, /^lockstep_refused_connections_total\{[^}]*reason="plain-text"[^}]*\} [1-9]/m);
  assert.match(metrics, /^lockstep_refused_connections_total\{[^}]*reason="wrong-token"[^}]*\} 1$/m);
  assert.match(
    leader.complaints(),
    /refused 127\.0\.0\.1:\d+: its token was not made here, or was changed \(wrong-token\)/,
  );

  const bert = workerIn(unhurried, port!, 'bert', '--token', token);
  await bert.complained(/gave a certificate/);
  const top = await runToEnd(['top', page!, '--ca', caPath], place.folder);
  assert.equal(top.code, 0, top.stderr);
  const third = await worker(port!, 'third', '--token', token).ended;
  assert.match(third.stderr, /used as often as it may be.*NOT_ADMITTED/);
  const { code, stdout, stderr } = await leader.ended;
  assert.equal(code, 0, stderr);
  for (const each of [anna, bert]) assert.equal((await each.ended).code, 0, (await each.ended).stderr);
  assert.equal(lastLine(stdout)['weightsDigest'], await undisturbed);
});

test('certificates are exchanged while a run goes on, and no step is lost', async () => {
  const certs = async (...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await runToEnd(['certs', ...args], place.folder);
    assert.equal(code, 0, stderr);
  };
  const dir = place.path('authority');
  await certs('init', '--dir', dir, '--run', 'mnist');
  const folders = ['anna', 'bert', 'leader'].map((name) => place.path(`of-${name}`)) as [string, string, string];
  for (const [i, role] of ['worker', 'worker', 'coordinator'].entries())
    await certs('issue', '--dir', dir, '--out', folders[i]!, '--role', role, '--name', `number-${i}`);
  const endless = ['--workers', '2', '--epochs', '100000', '--eval-every', '100000epochs'];
  const leader = coordinator('rotated', ...endless, '--certs', folders[2]);
  const [, port] = await leader.seen(/"coordinator":"0\.0\.0\.0:(\d+)"/);
  const workers = ['anna', 'bert'].map((name, i) => worker(port!, name, '--certs', folders[i]!));
  await leader.seen(/"type":"step"/);
  await certs('rotate', ...folders, '--dir', dir);
  for (const each of [...workers, leader]) await each.complained(/has a new certificate/);
  const carla = worker(port!, 'carla', '--certs', folders[0]); //      everybody connects to it with what is new
  await leader.seen(/"type":"membership"[^\n]*"worldSize":3[^]*"type":"step"[^\n]*"worldSize":3/);
  leader.child.kill('SIGINT');
  const { code, stdout, stderr } = await leader.ended;
  assert.equal(code, 130, stderr);
  for (const each of [...workers, carla]) assert.equal((await each.ended).code, 0, (await each.ended).stderr);
  const steps = [...stdout.matchAll(/"type":"step","step":(\d+)/g)].map(([, step]) => Number(step));
  assert.deepEqual(
    steps,
    Array.from(steps, (_, i) => i + 1),
  );
  assert.equal([...stdout.matchAll(/"type":"membership"/g)].length, 1, 'only the third one changed who takes part');
});

test('`train` beyond loopback secures itself, and its own workers join', async () => {
  const flags = ['--workers', '2', '--steps', '60', '--json', '--out', place.path('train')];
  const { code, stdout, stderr } = await runToEnd(['train', ...spec, ...everywhere, ...flags], place.folder);
  assert.equal(code, 0, stderr);
  assert.equal(lastLine(stdout)['weightsDigest'], await undisturbed);
});

test('a coordinator in NATS cannot make certificates by itself: who takes over would not have them', async () => {
  const flags = [...everywhere, '--nats', 'nats://127.0.0.1:1', '--run', 'x'];
  const { code, stderr } = await runToEnd(['coordinator', ...spec, ...flags], place.folder);
  assert.equal(code, 2);
  assert.match(stderr, /--listen 0\.0\.0\.0 with --nats.*NOT_SECURED/);
});
