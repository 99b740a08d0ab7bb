import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lastLine, runToEnd, start, workshop, type Running } from './lockstep.js';

const place = workshop({ after });
const data = place.smallDataset();
const ports = ['--metrics-port', '0', '--json'];
const spec = ['--dataset', data, '--batch-per-worker', '16', '--model', 'mlp'];

/** Sizes of the batches in the order in which they were used, as a run's folder has them. */
function sizesIn(out: string): readonly number[] {
  const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
  const records = lines.map((line) => JSON.parse(line) as { loss?: number; globalBatchSize: number });
  return records.flatMap(({ loss, globalBatchSize }) => (loss === undefined ? [] : [globalBatchSize]));
}

const distinct = (sizes: readonly number[]) => sizes.filter((size, i) => size !== sizes[i - 1]);
const replay = (folder: string, out: string, ...flags: string[]) =>
  runToEnd(['train', '--replay', folder, ...ports, ...flags, '--out', out], place.folder);

function worker(address: string, name: string): Running {
  const flags = ['--coordinator', address, '--name', name, '--exchange-port', '0', '--metrics-port', '0'];
  return start(['worker', ...flags], place.folder);
}

test('the batch follows the cluster; a replay repeats it, with another number of workers and with the same bits', async () => {
  const out = place.path('followed');
  const flags = ['--workers', '1', '--epochs', '60', '--port', '0', ...ports, '--out', out];
  const coordinator = start(['coordinator', ...spec, '--lr-schedule', 'cosine', ...flags], place.folder);
  const [, address] = await coordinator.seen(/"coordinator":"([^"]+)"/);
  const anna = worker(address!, 'anna');
  await coordinator.seen(/"type":"step","step":2\d,/);
  const bert = worker(address!, 'bert');
  await coordinator.seen(/"globalBatchSize":32,.*"worldSize":2/);
  anna.child.kill('SIGTERM');
  const { code, stdout, stderr } = await coordinator.ended;
  assert.equal(code, 0, stderr);
  await Promise.all([anna.ended, bert.ended]);
  const report = lastLine(stdout);
  assert.deepEqual(distinct(sizesIn(out)), [16, 32, 16]);
  assert.equal(report['epochs'], 60, 'however many steps that takes');

  const repeated = place.path('repeated');
  const again = await replay(out, repeated, '--workers', '3');
  assert.equal(again.code, 0, again.stderr);
  assert.equal(lastLine(again.stdout)['weightsDigest'], report['weightsDigest']);
  assert.deepEqual(sizesIn(repeated), sizesIn(out));
});

test('a resumed run has the batches of its workers, and its history can be repeated as well', async () => {
  const out = place.path('resumed');
  const first = ['train', ...spec, ...ports, '--workers', '2', '--steps', '40', '--out', out];
  assert.equal((await runToEnd(first, place.folder)).code, 0);
  const more = ['--workers', '1', '--steps', '70'];
  const whole = await runToEnd(['train', '--resume', out, ...ports, ...more], place.folder);
  assert.equal(whole.code, 0, whole.stderr);
  assert.deepEqual(distinct(sizesIn(out)), [32, 16]);
  assert.equal(sizesIn(out).lastIndexOf(32), 40, 'step 41 is that which its state says');
  const again = await replay(out, place.path('again'), '--workers', '2');
  assert.equal(again.code, 0, again.stderr);
  assert.equal(lastLine(again.stdout)['weightsDigest'], lastLine(whole.stdout)['weightsDigest']);
});

test('a folder without the records of a run cannot be repeated', async () => {
  const none = await replay(data, place.path('none'));
  assert.equal(none.code, 2);
  assert.match(none.stderr, /--replay .* names no run/);
});
