import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { engineFaults, lastLine, runToEnd, start, workshop, type Ended } from './lockstep.js';

const place = workshop({ after });
const data = place.smallDataset();
const spec = ['--dataset', data, '--global-batch', '48', '--micro-batch', '6', '--steps', '250', '--json'];
const ports = ['--port', '0', '--metrics-port', '0'];

const undisturbed = (async () => {
  const run = await runToEnd(
    ['train', ...spec, ...ports, '--workers', '1', '--out', place.path('alone')],
    place.folder,
  );
  return lastLine(run.stdout)['weightsDigest'];
})();

/** A run with a good machine and a bad one. @param trouble - of engine-faults.ts */
async function withBadMachine(
  name: string,
  trouble: Readonly<Record<string, string>>,
): Promise<Readonly<Record<'coordinator' | 'good' | 'bad', Ended>>> {
  const flags = ['--workers', '2', '--out', place.path(name)];
  const coordinator = start(['coordinator', ...spec, ...ports, ...flags], place.folder);
  const [, address] = await coordinator.seen(/"coordinator":"([^"]+)"/);
  const [good, bad] = (['good', 'bad'] as const).map((worker) => {
    const to = ['--coordinator', address!, '--name', worker, '--exchange-port', '0', '--metrics-port', '0'];
    return start(['worker', ...to], place.folder, worker === 'bad' ? engineFaults(trouble) : {});
  });
  const ended = { coordinator: await coordinator.ended, good: await good!.ended, bad: await bad!.ended };
  assert.equal(ended.coordinator.code, 0, ended.coordinator.stderr);
  assert.equal(lastLine(ended.coordinator.stdout)['weightsDigest'], await undisturbed);
  assert.equal(ended.good.code, 0, ended.good.stderr);
  return ended;
}

interface Ranges {
  readonly workers: readonly { readonly workerId: string; readonly microBatches: number }[];
}

test('micro-batches move from a slow worker to a fast one, and the result stays', async () => {
  const { coordinator, bad } = await withBadMachine('slow', { SLOW_ENGINE_MS: '10' });
  assert.equal(bad.code, 0, bad.stderr);
  const moved = coordinator.stdout.split('\n').find((line) => line.includes('"type":"ranges"'));
  assert.ok(moved, 'nothing was moved');
  const of = Object.fromEntries(
    (JSON.parse(moved) as Ranges).workers.map(({ workerId, microBatches }) => [workerId.split('-')[0]!, microBatches]),
  );
  assert.ok(of['good']! > of['bad']!, moved);
  assert.equal(of['good']! + of['bad']!, 8);
});

test('an engine that stands still for a while holds up nobody: its neighbour computes its range, and the result stays', async () => {
  const { good, bad } = await withBadMachine('stalling', { STALL_ENGINE_AT: '40,80', STALL_ENGINE_MS: '1500' });
  assert.equal(bad.code, 0, bad.stderr);
  assert.match(good.stderr, /rank \d is late, \d+ ms where \d+ are usual: its range is computed here, too/);
  assert.match(bad.stderr, /our engine is late: steps are finished with what another one computed for us/);
});

test('an engine that hangs is named, its worker ends, and the other one goes on', async () => {
  const { coordinator, bad } = await withBadMachine('hanging', { HANG_ENGINE_AT: '40' });
  const named = /engine \w+ of rank \d on \S+ hangs in forward and backward of step 3\d: no answer for \d+ s/;
  assert.equal(bad.code, 3);
  assert.match(bad.stderr, named);
  const change = coordinator.stdout.split('\n').find((line) => line.includes('"type":"membership"'));
  assert.match(change ?? '', named, 'whoever watches the run reads why');
});
