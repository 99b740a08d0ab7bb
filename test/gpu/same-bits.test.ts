import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { testGpu, testGpuMissing } from '../unit/engine/test-gpu.js';
import { lastLine, runToEnd, workshop } from '../e2e/lockstep.js';

const place = workshop({ after });
const skip = await testGpuMissing();

async function digestOf(workers: number, ...flags: readonly string[]): Promise<unknown> {
  const drivers = process.env['VK_ICD_FILENAMES'];
  const args = [
    ...['train', '--engine', 'webgpu', '--gpu', testGpu, '--model', 'mlp', '--workers', String(workers), '--seed', '7'],
    ...['--global-batch', '96', '--steps', '12', '--json', '--metrics-port', '0'],
    ...['--out', place.path(`out-${workers}-${flags.join('')}`), ...flags],
  ];
  const { code, stdout, stderr } = await runToEnd(args, place.folder, drivers ? { VK_ICD_FILENAMES: drivers } : {});
  assert.equal(code, 0, stderr);
  const report = lastLine(stdout);
  assert.equal(report['worldSize'], workers);
  assert.match(String(report['bitExactReason']), /device or driver/);
  return report['weightsDigest'];
}

test('plans on one GPU train the same weights with 1, 2 and 3 workers, bit for bit', { skip }, async () => {
  const digests = [];
  for (const workers of [1, 2, 3]) digests.push(await digestOf(workers, '--micro-batch', '16'));
  assert.equal(new Set(digests).size, 1, String(digests));
  assert.notEqual(await digestOf(1, '--micro-batch', '48'), digests[0], 'the digest tells something');
});
