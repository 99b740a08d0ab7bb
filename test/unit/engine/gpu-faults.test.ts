import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as tfl from '@tensorflow/tfjs-layers';

import { createArena } from '../../../src/core/arena.js';
import type { Engine, EngineOptions } from '../../../src/engine/engine.js';
import { modelSpecOf } from '../../../src/engine/models/index.js';
import { OpByOpEngine } from '../../../src/engine/op-by-op/op-by-op-engine.js';
import { loadDawn } from '../../../src/engine/webgpu/dawn.js';
import { openGpu } from '../../../src/engine/webgpu/device.js';
import { openWebGpuEngine } from '../../../src/engine/wgsl/open-engine.js';
import { testGpu, testGpuMissing } from './test-gpu.js';

const skip = await testGpuMissing();

const engines: Readonly<Record<string, (options: EngineOptions) => Promise<Engine>>> = {
  'a plan': openWebGpuEngine,
  'op by op': (options) => OpByOpEngine.create('webgpu', options),
};

/** One number in, and so many in between, for which a large batch needs little memory here and much on the GPU. */
function modelOf(units: number) {
  const layers = [
    tfl.layers.dense({ name: 'wide', inputShape: [1], units, activation: 'relu' }),
    tfl.layers.dense({ name: 'out', units: 3 }),
  ];
  return modelSpecOf(tfl.sequential({ name: 'wide', layers }));
}

/** @returns what computes a gradient of the whole micro-batch, with weights of zero */
async function prepared(create: (options: EngineOptions) => Promise<Engine>, units: number, microBatchSize: number) {
  const arena = createArena();
  const engine = await create({ model: modelOf(units), microBatchSize, arena, gpu: testGpu });
  const { weightCount, parameterCount, extraCount } = engine.layout;
  const [weights, sum] = [arena.float32(weightCount), arena.float32(parameterCount + extraCount)];
  return async () => {
    await engine.setWeights(weights);
    await engine.gradientSum(microBatchSize, sum);
    return sum[parameterCount]!;
  };
}

describe('what a GPU cannot do', { skip }, () => {
  for (const [what, create] of Object.entries(engines)) {
    it(`${what}: when it is lost, every job says so`, async () => {
      const opened: GPUDevice[] = [];
      const forget = await watchDevices(opened);
      const compute = await prepared(create, 5, 3);
      assert.ok(Math.abs((await compute()) / 3 - 1.0986) < 1e-4, 'it computes: ln 3 a sample');
      for (const device of opened) device.destroy();
      forget();
      for (let i = 0; i < 2; i++)
        await assert.rejects(compute, { code: 'GPU_LOST', message: /^the GPU .+ was lost: .+/, exitCode: 1 });
    });
  }

  it('a plan: a micro-batch above its limits is refused, with the number and the remedy', async () => {
    const gpu = await openGpu(testGpu);
    const units = 4_096;
    const tooMany = Math.ceil(gpu.device.limits.maxBufferSize / (4 * units)) + 1;
    gpu.close();
    await assert.rejects(async () => (await prepared(openWebGpuEngine, units, tooMany))(), {
      code: 'GPU_OUT_OF_MEMORY',
      message: new RegExp(`^a micro-batch of ${tooMany} samples does not fit the memory of the GPU .+`),
      remedy: 'choose a smaller --micro-batch',
    });
  });
});

/** Collects the devices that are opened until the function that it returns is called. */
async function watchDevices(opened: GPUDevice[]): Promise<() => void> {
  const { prototype } = (await loadDawn()).globals['GPUAdapter'] as { readonly prototype: GPUAdapter };
  const property = Object.getOwnPropertyDescriptor(prototype, 'requestDevice')!;
  const open = property.value as (this: GPUAdapter, descriptor?: GPUDeviceDescriptor) => Promise<GPUDevice>;
  prototype.requestDevice = async function (descriptor) {
    const device = await open.call(this, descriptor);
    opened.push(device);
    return device;
  };
  return () => Object.defineProperty(prototype, 'requestDevice', property);
}
