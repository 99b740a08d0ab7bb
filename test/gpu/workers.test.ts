import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { nativeStatus } from '../../src/engine/native-kernels.js';
import { gpuEnvironment, testGpu, testGpuMissing } from '../unit/engine/test-gpu.js';
import { engineFaults, jsonLines, lastLine, start, workshop, type Ended } from '../e2e/lockstep.js';

const skip = await testGpuMissing();

describe('workers with a GPU beside others', { skip }, () => {
  const place = workshop({ after });
  const data = place.smallDataset();
  const ports = ['--port', '0', '--metrics-port', '0'];

  /** By hand, so that each has an engine of its own. @param faults - of engine-faults.ts, for the worker with the GPU */
  async function train(
    name: string,
    steps: number,
    engines: readonly string[],
    faults: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly coordinator: Ended; readonly workers: readonly Ended[] }> {
    const spec = ['--dataset', data, '--global-batch', '24', '--micro-batch', '4', '--steps', String(steps)];
    const flags = [
      ...spec,
      '--lr',
      '0.003',
      '--json',
      ...ports,
      '--workers',
      String(engines.length),
      '--out',
      place.path(name),
    ];
    const coordinator = start(['coordinator', ...flags], place.folder);
    const [, address] = await coordinator.seen(/"coordinator":"([^"]+)"/);
    const workers = engines.map((engine, i) => {
      const at = ['--coordinator', address!, '--name', `${engine}-${i}`, '--exchange-port', '0', '--metrics-port', '0'];
      const environment = engine === 'webgpu' ? { ...gpuEnvironment, ...engineFaults(faults) } : {};
      return start(['worker', ...at, '--engine', engine, '--gpu', testGpu], place.folder, environment);
    });
    return { coordinator: await coordinator.ended, workers: await Promise.all(workers.map(({ ended }) => ended)) };
  }

  test('three engines train one model, and the report says that its bits are not claimed', async () => {
    const own = nativeStatus().available ? 'native' : 'wasm';
    const { coordinator, workers } = await train('together', 20, [own, 'wasm', 'webgpu']);
    assert.equal(coordinator.code, 0, coordinator.stderr);
    for (const { code, stderr } of workers) assert.equal(code, 0, stderr);
    const report = lastLine(coordinator.stdout);
    assert.equal(report['engine'], own === 'native' ? 'native+wasm+webgpu' : 'wasm+webgpu');
    assert.equal(report['bitExact'], false);
    assert.match(String(report['bitExactReason']), /^engine webgpu is not claimed deterministic: .*different engines/);
    assert.ok((report['testAccuracy'] as number) > 0.5, String(report['testAccuracy']));
    assert.match(String(report['weightsDigest']), /^[0-9a-f]{64}$/, 'all of them ended with these weights');
  });

  test('a lost GPU is a lost worker, which says so, and not a lost run', async () => {
    const { coordinator, workers } = await train('lost', 12, ['wasm', 'webgpu'], { LOSE_GPU_AT: '3' });
    assert.equal(coordinator.code, 0, coordinator.stderr);
    assert.equal(workers[0]!.code, 0, workers[0]!.stderr);
    assert.equal(workers[1]!.code, 1, workers[1]!.stderr);
    assert.match(workers[1]!.stderr, /the GPU .+ was lost: .+\[GPU_LOST\]/);
    const steps = jsonLines(coordinator.stdout).filter(({ type }) => type === 'step');
    assert.equal(steps.length, 12);
  });
});
