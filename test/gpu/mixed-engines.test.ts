import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { tensorflowStatus } from '../../src/engine/libtensorflow/status.js';
import { tensorflowMissing } from '../unit/engine/tensorflow-missing.js';
import { testGpu, testGpuMissing } from '../unit/engine/test-gpu.js';
import { lastLine, start, workshop } from '../e2e/lockstep.js';

const place = workshop({ after });

/** Workers have a home of their own, in which nothing is installed. */
function environment(): Readonly<Record<string, string>> {
  const status = tensorflowStatus();
  const drivers = process.env['VK_ICD_FILENAMES'];
  return {
    ...(status.available && { LOCKSTEP_TENSORFLOW: status.installation.folder }),
    ...(drivers !== undefined && { VK_ICD_FILENAMES: drivers }),
  };
}

/** Trains with one worker on each of these engines. @returns the last line of the coordinator */
async function trainOn(engines: readonly (readonly string[])[]) {
  const spec = ['--dataset', place.smallDataset(), '--global-batch', '96', '--micro-batch', '16', '--epochs', '2'];
  const ports = ['--metrics-port', '0'];
  const coordinator = start(
    ['coordinator', ...spec, '--workers', String(engines.length), '--port', '0', ...ports, '--json'],
    place.folder,
  );
  const [, address] = await coordinator.seen(/"coordinator":"([^"]+)"/);
  const workers = engines.map((engine) =>
    start(
      ['worker', '--coordinator', address!, '--exchange-port', '0', ...ports, '--engine', ...engine],
      place.folder,
      environment(),
    ),
  );
  for (const worker of workers) assert.equal((await worker.ended).code, 0, (await worker.ended).stderr);
  const { code, stdout, stderr } = await coordinator.ended;
  assert.equal(code, 0, stderr);
  return lastLine(stdout);
}

const withoutGpu = await testGpuMissing();

test(
  "an engine is a worker's own affair: one on each of several train one model, and the report claims no bits",
  { skip: tensorflowMissing() },
  async () => {
    const gpu = withoutGpu === false ? [['webgpu', '--gpu', testGpu]] : [];
    const report = await trainOn([['wasm'], ['tensorflow'], ...gpu]);
    const names = `tensorflow, wasm${withoutGpu === false ? ', webgpu' : ''}`;
    assert.equal(report['engine'], names.replaceAll(', ', '+'));
    assert.equal(report['bitExact'], false);
    const reason = String(report['bitExactReason']);
    assert.match(reason, /engine tensorflow is not claimed deterministic/);
    assert.ok(reason.endsWith(`; workers used different engines: ${names}`), reason);
    assert.ok(Number(report['testAccuracy']) > 0.5, `it learned something: ${String(report['testAccuracy'])}`);
  },
);
