import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lastLine, runToEnd, start, workshop, type Running } from './lockstep.js';

/** `--checkpoint-dir`: workers write checkpoints into a folder that all machines share. */

const place = workshop({ after });
const data = place.smallDataset();
const steps = 800;
const size = ['--dataset', data, '--global-batch', '48', '--micro-batch', '12', '--model', 'mlp'];
const spec = [...size, '--steps', String(steps), '--checkpoint-every', '10steps', '--keep', '3'];
const ports = ['--metrics-port', '0', '--json'];

const undisturbed = (async () => {
  const alone = await runToEnd(['train', ...spec, ...ports, '--out', place.path('alone')], place.folder);
  return lastLine(alone.stdout)['weightsDigest'];
})();

function startCoordinator(out: string, shared: string): Running {
  const flags = ['--workers', '2', '--min-workers', '1', '--checkpoint-dir', shared, '--out', out];
  return start(['coordinator', ...spec, ...ports, '--port', '0', ...flags], place.folder);
}

function startWorker(address: string, name: string): Running {
  const flags = ['--coordinator', address, '--name', name, '--exchange-port', '0', '--metrics-port', '0'];
  return start(['worker', ...flags], place.folder);
}

/** The only run in a shared folder, and its files. */
function written(shared: string): readonly string[] {
  const [runId, ...others] = readdirSync(shared);
  assert.deepEqual(others, []);
  return readdirSync(join(shared, runId!)).map((name) => join(shared, runId!, name));
}

test('the writer is killed: another one takes over; then everything is killed, and the run goes on from there', async () => {
  const [out, shared] = [place.path('run'), place.path('shared')];
  const coordinator = startCoordinator(out, shared);
  const [, address] = await coordinator.seen(/"coordinator":"([^"]+)"/);
  const anna = startWorker(address!, 'anna');
  await coordinator.seen(/"type":"waiting","joined":1/);
  const bert = startWorker(address!, 'bert');
  await coordinator.seen(/"type":"checkpoint"/);
  anna.child.kill('SIGKILL'); //                                      came first, so it has rank 0, and writes
  await coordinator.seenInTurn(/"type":"membership"/, /"type":"checkpoint"/, /"type":"checkpoint"/);
  for (const each of [coordinator, bert]) each.child.kill('SIGKILL');
  await Promise.all([coordinator, bert, anna].map(({ ended }) => ended));
  const links = readdirSync(join(out, 'checkpoints')).map((name) => join(out, 'checkpoints', name));
  assert.ok(links.length > 0 && links.every((link) => lstatSync(link).isSymbolicLink()), links.join());
  for (const link of links) assert.ok(written(shared).includes(readlinkSync(link)), link);

  const { code, stdout, stderr } = await runToEnd(
    ['train', '--resume', out, '--workers', '3', '--metrics-port', '0', '--json'],
    place.folder,
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /"type":"resumed","step":[1-9]/);
  assert.equal(lastLine(stdout)['weightsDigest'], await undisturbed);
  const left = readdirSync(join(out, 'checkpoints'));
  assert.ok(left.length <= 3 && written(shared).length <= 3, 'old ones are removed in both places');
});

test('a shared folder that cannot be written is told of, and training goes on', async () => {
  const shared = place.path('no-folder');
  writeFileSync(shared, 'a file where a folder should be');
  const flags = ['--workers', '2', '--checkpoint-dir', shared, '--out', place.path('unshared')];
  const { code, stdout, stderr } = await runToEnd(['train', ...spec, ...ports, ...flags], place.folder);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /"type":"checkpoint-failed","step":\d+,"reason":"[^"]*no-folder/);
  assert.equal(lastLine(stdout)['weightsDigest'], await undisturbed);
});
