import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lastLine, runToEnd, start, workshop } from './lockstep.js';

const place = workshop({ after });
const spec = ['--dataset', place.smallDataset(), '--global-batch', '48', '--micro-batch', '6', '--seed', '7'];
const common = ['--metrics-port', '0', '--json'];
/** So large that the first gradients overflow. */
const tooLarge = String(2n ** 126n);

async function trained(out: string, workers: number, ...flags: readonly string[]) {
  const args = ['train', ...spec, ...common, '--workers', String(workers), '--out', place.path(out), ...flags];
  const { code, stdout, stderr } = await runToEnd(args, place.folder);
  assert.equal(code, 0, stderr);
  return lastLine(stdout);
}

test('no weight depends on the loss scale, nor on the number of workers where it has to be halved', async () => {
  const plain = await trained('plain', 1, '--steps', '30');
  const scaled = await trained('scaled', 2, '--steps', '30', '--loss-scale', '1024');
  assert.equal(scaled['weightsDigest'], plain['weightsDigest']);
  assert.equal(scaled['skippedSteps'], 0);

  const alone = await trained('alone', 1, '--steps', '40', '--loss-scale', tooLarge, '--max-skipped', '2');
  assert.ok((alone['skippedSteps'] as number) > 2 && (alone['skippedSteps'] as number) < 40);
  const lines = readFileSync(join(place.path('alone'), 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const scales = lines.flatMap((line) => (JSON.parse(line) as { lossScale?: number }).lossScale ?? []);
  assert.deepEqual(
    new Set(scales),
    new Set(Array.from({ length: (alone['skippedSteps'] as number) + 1 }, (_, i) => 2 ** (126 - i))),
  );
  const together = await trained('together', 3, '--steps', '40', '--loss-scale', tooLarge, '--max-skipped', '2');
  assert.equal(together['weightsDigest'], alone['weightsDigest']);

  const cut = ['--steps', '40', '--loss-scale', tooLarge, '--checkpoint-every', '3steps', '--max-skipped', '2'];
  const first = start(
    ['train', ...spec, ...common, ...cut, '--workers', '2', '--out', place.path('cut')],
    place.folder,
  );
  await first.seen(/"type":"checkpoint"/);
  first.child.kill('SIGKILL');
  await first.ended;
  const resume = ['train', '--resume', place.path('cut'), ...common, '--workers', '3'];
  const { code, stdout, stderr } = await runToEnd(resume, place.folder);
  assert.equal(code, 0, stderr);
  assert.equal(lastLine(stdout)['weightsDigest'], alone['weightsDigest']);
});

test('a loss scale that is none, or that nobody can apply, is refused by name', async () => {
  const refused = async (...flags: readonly string[]) => {
    const out = ['--out', place.path(`refused-${flags.length}`)];
    const { code, stderr } = await runToEnd(
      ['train', ...spec, ...common, ...out, '--workers', '1', ...flags],
      place.folder,
    );
    assert.equal(code, 2);
    return stderr;
  };
  assert.match(await refused('--loss-scale', '1000'), /--loss-scale 1000.*a power of two from 1 to 2\^126/s);
  assert.match(await refused('--loss-scale', '2', '--sync-every', '4'), /LOCAL_STEPS_UNSCALED/);
});
