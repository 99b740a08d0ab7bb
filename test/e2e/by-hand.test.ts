import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { jsonLines, lastLine, runToEnd, start, workshop } from './lockstep.js';

const place = workshop({ after });
const data = place.smallDataset();
const spec = [
  '--dataset',
  data,
  '--global-batch',
  '96',
  '--micro-batch',
  '8',
  '--epochs',
  '4',
  '--eval-every',
  '1epoch',
];

test('a coordinator and workers started by hand do what `train` does', async () => {
  const out = place.path('by-hand');
  const coordinator = start(
    ['coordinator', ...spec, '--workers', '2', '--port', '0', '--metrics-port', '0', '--json', '--out', out],
    place.folder,
  );
  const [, address, metricsUrl] = await coordinator.seen(/"coordinator":"([^"]+)","metrics":"([^"]+)"/);
  const join1 = ['worker', '--coordinator', address!, '--exchange-port', '0', '--metrics-port', '0'];
  const workers = [
    start([...join1, '--name', 'anna'], place.folder),
    start([...join1, '--name', 'bert'], place.folder),
  ];

  const metrics = await (await fetch(metricsUrl!)).text();
  assert.match(metrics, /^# TYPE lockstep_steps_total counter$/m);
  const health = await fetch(metricsUrl!.replace('/metrics', '/healthz'));
  assert.equal(health.status, 200);

  const { code, stdout, stderr } = await coordinator.ended;
  assert.equal(code, 0, stderr);
  for (const worker of workers) assert.equal((await worker.ended).code, 0, (await worker.ended).stderr);

  const lines = jsonLines(stdout);
  assert.ok(lines.every((line) => line['schema'] === 1));
  assert.deepEqual(
    lines.flatMap((line) => (line.type === 'step' ? [line['step']] : [])),
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  assert.deepEqual(
    lines.flatMap((line) => (line.type === 'evaluation' ? [line['step']] : [])),
    [5, 10, 15, 20],
  );
  const report = lines.at(-1)!;
  assert.equal(report.type, 'result');
  assert.ok((report['testAccuracy'] as number) > 0.5, 'it learned something');

  const trained = await runToEnd(
    ['train', ...spec, '--workers', '3', '--metrics-port', '0', '--json', '--out', place.path('trained')],
    place.folder,
  );
  assert.equal(lastLine(trained.stdout)['weightsDigest'], report['weightsDigest']);
});

test('the folder of a run holds what was promised, and its spec repeats it', async () => {
  const out = place.path('folder');
  const first = await runToEnd(['train', ...spec, '--json', '--metrics-port', '0', '--out', out], place.folder);
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(readdirSync(out).sort(), [
    ...['best.safetensors', 'checkpoints', 'events.jsonl', 'final.safetensors', 'journal.jsonl', 'logs'],
    ...['metrics.jsonl', 'picture.json', 'report.html', 'report.json', 'spec.json'],
  ]);
  const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Record<string, unknown>;
  const fields = ['steps', 'epochs', 'testAccuracy', 'imagesPerSecond', 'secondsTotal', 'worldSize', 'globalBatchSize'];
  for (const field of [...fields, 'engine', 'bitExact', 'weightsDigest']) assert.ok(field in report, field);
  const kinds = readFileSync(join(out, 'journal.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { kind: string }).kind);
  assert.deepEqual(kinds, ['run', 'term', 'begin', 'end', 'told']);
  assert.deepEqual(readdirSync(join(out, 'logs')).sort(), ['coordinator.jsonl', 'worker-0.jsonl', 'worker-1.jsonl']);
  assert.equal(readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n').length, 24);

  const again = await runToEnd(
    ['train', '--config', join(out, 'spec.json'), '--workers', '1', '--json', '--out', place.path('again')],
    place.folder,
  );
  assert.equal(again.code, 0, again.stderr);
  assert.equal(lastLine(again.stdout)['weightsDigest'], report['weightsDigest']);
});

test('a target that is reached stops all workers at the same step, by themselves', async () => {
  const flags = [...spec, '--epochs', '50', '--target-accuracy', '0.6', '--metrics-port', '0', '--json'];
  const reports = [];
  for (const workers of ['1', '3']) {
    const run = await runToEnd(
      ['train', ...flags, '--workers', workers, '--out', place.path(`target-${workers}`)],
      place.folder,
    );
    assert.equal(run.code, 0, run.stderr);
    reports.push(lastLine(run.stdout));
  }
  assert.equal(reports[0]!['outcome'], 'target-reached');
  assert.ok((reports[0]!['testAccuracy'] as number) >= 0.6);
  assert.ok((reports[0]!['steps'] as number) < 250);
  assert.equal(reports[0]!['weightsDigest'], reports[1]!['weightsDigest']);
});

test('progress for a person: plain lines where there is no terminal, with the result and where it lies', async () => {
  const out = place.path('person');
  const { code, stdout, stderr } = await runToEnd(
    ['train', ...spec, '--metrics-port', '0', '--out', out],
    place.folder,
  );
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  assert.match(stdout, /training lenet5 \(44,426 parameters\) on 2 workers/);
  assert.match(stdout, /test accuracy {2}0\.\d+/);
  assert.ok(stdout.includes(out));
  assert.equal(stdout.includes('\u001B'), false, 'no colour, no cursor movement');
  assert.ok(existsSync(join(out, 'report.html')));
});

test('rprop with the full batch is accepted', async () => {
  const flags = [
    '--dataset',
    data,
    '--optimizer',
    'rprop',
    '--lr',
    '0.001',
    '--global-batch',
    'full',
    '--steps',
    '3',
    '--json',
  ];
  const { code, stdout, stderr } = await runToEnd(
    ['train', ...flags, '--metrics-port', '0', '--out', place.path('rprop')],
    place.folder,
  );
  assert.equal(code, 0, stderr);
  assert.equal(lastLine(stdout)['globalBatchSize'], 480);
});

test('a batch for each worker grows with the number of workers', async () => {
  const flags = ['--dataset', data, '--batch-per-worker', '40', '--workers', '3', '--steps', '2', '--json'];
  const { code, stdout, stderr } = await runToEnd(
    ['train', ...flags, '--metrics-port', '0', '--out', place.path('grown')],
    place.folder,
  );
  assert.equal(code, 0, stderr);
  assert.equal(lastLine(stdout)['globalBatchSize'], 120);
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
const skip = hasIpv6 ? false : 'this machine has no IPv6, not even on loopback: IPv6 addresses are not tested';

test('workers find their coordinator at one of several addresses, by name and by IPv6', { skip }, async () => {
  const out = place.path('addresses');
  const where = ['--listen', '::1', '--port', '0', '--metrics-port', '0', '--json', '--out', out];
  const coordinator = start(['coordinator', ...spec, '--workers', '2', ...where], place.folder);
  const [, port] = await coordinator.seen(/"coordinator":"\[::1\]:(\d+)"/);
  const free = ['--exchange-port', '0', '--metrics-port', '0'];
  const workers = [`127.0.0.1:1,[::1]:${port}`, `nobody.invalid:${port},localhost:1,[::1]:${port}`].map((at) =>
    start(['worker', '--coordinator', at, '--listen', '::1', '--insecure', ...free], place.folder),
  );
  const { code, stderr } = await coordinator.ended;
  assert.equal(code, 0, stderr);
  for (const worker of workers) assert.equal((await worker.ended).code, 0, (await worker.ended).stderr);

  const lost = ['--coordinator', '127.0.0.1:1,nobody.invalid:7070', '--join-timeout', '0.2', '--insecure', ...free];
  const nowhere = await runToEnd(['worker', ...lost], place.folder);
  assert.equal(nowhere.code, 3);
  assert.match(
    nowhere.stderr,
    /127\.0\.0\.1:1: connection refused; nobody\.invalid:7070: the name.*COORDINATOR_UNREACHABLE/,
  );
});
