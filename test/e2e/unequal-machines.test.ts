import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { lastLine, runToEnd, start, workshop } from './lockstep.js';

const place = workshop({ after });
const data = place.smallDataset();
const spec = ['--dataset', data, '--global-batch', '48', '--micro-batch', '6', '--steps', '250', '--json'];
const ports = ['--port', '0', '--metrics-port', '0'];

interface Ranges {
  readonly workers: readonly { readonly workerId: string; readonly microBatches: number }[];
}

test('micro-batches move from a slow worker to a fast one, and the result stays', async () => {
  const alone = ['train', ...spec, ...ports, '--workers', '1', '--out', place.path('alone')];
  const undisturbed = await runToEnd(alone, place.folder);
  assert.equal(undisturbed.code, 0, undisturbed.stderr);

  const out = place.path('unequal');
  const coordinator = start(['coordinator', ...spec, ...ports, '--workers', '2', '--out', out], place.folder);
  const [, address] = await coordinator.seen(/"coordinator":"([^"]+)"/);
  const slow = {
    NODE_OPTIONS: `--import ${new URL('./slow-engine.js', import.meta.url).href}`,
    SLOW_ENGINE_MS: '10',
  };
  const workers = ['fast', 'slow'].map((name) => {
    const flags = ['--coordinator', address!, '--name', name, '--exchange-port', '0', '--metrics-port', '0'];
    return start(['worker', ...flags], place.folder, name === 'slow' ? slow : {});
  });
  const { code, stdout, stderr } = await coordinator.ended;
  assert.equal(code, 0, stderr);
  for (const worker of workers) assert.equal((await worker.ended).code, 0);
  const moved = stdout.split('\n').find((line) => line.includes('"type":"ranges"'));
  assert.ok(moved, 'nothing was moved');
  const of = Object.fromEntries(
    (JSON.parse(moved) as Ranges).workers.map(({ workerId, microBatches }) => [workerId.split('-')[0]!, microBatches]),
  );
  assert.ok(of['fast']! > of['slow']!, moved);
  assert.equal(of['fast']! + of['slow']!, 8);
  assert.equal(lastLine(stdout)['weightsDigest'], lastLine(undisturbed.stdout)['weightsDigest']);
});
