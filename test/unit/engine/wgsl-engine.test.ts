import * as tfl from '@tensorflow/tfjs-layers';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { createArena } from '../../../src/core/arena.js';
import { imagesDataset } from '../../../src/data/encoded-images.js';
import type { Engine } from '../../../src/engine/engine.js';
import { ResidentFeed } from '../../../src/engine/feeds/resident-feed.js';
import { MicroBatchRunner } from '../../../src/engine/micro-batch-runner.js';
import type { ModelSpec } from '../../../src/engine/model-spec.js';
import { modelSpecOf } from '../../../src/engine/models/index.js';
import { PlanEngine } from '../../../src/engine/plan-engine.js';
import { openGpu, type Gpu } from '../../../src/engine/webgpu/device.js';
import type { Tuning } from '../../../src/engine/wgsl/compilation.js';
import { gpuDeviceOf } from '../../../src/engine/wgsl/device.js';
import { WgslEngine } from '../../../src/engine/wgsl/engine.js';
import { openWebGpuEngine } from '../../../src/engine/wgsl/open-engine.js';
import { encode } from '../../../src/engine/wgsl/program.js';
import { ReadBack } from '../../../src/engine/wgsl/read-back.js';
import { DeviceTree } from '../../../src/engine/wgsl/tree.js';
import { engineContract } from '../../contract/engine-contract.js';
import { modelNamed, relativeDistance, someImages, someWeights, writeSamples } from './support.js';
import { testGpu, testGpuMissing } from './test-gpu.js';

const skip = await testGpuMissing();

describe('plans on WebGPU', { skip }, () =>
  engineContract((options) => openWebGpuEngine({ ...options, gpu: testGpu })),
);

describe('WgslEngine', { skip }, () => {
  let gpu: Gpu;
  before(async () => void (gpu = await openGpu(testGpu, { ownKernels: true })));
  after(() => gpu.close());

  /** Every tensor's gradient beside that of our kernels for the processor, for a whole micro-batch and a short one. */
  async function compare(model: ModelSpec, microBatchSize: number, tuning: Tuning): Promise<void> {
    const options = { model, microBatchSize, arena: createArena() };
    const ours = await WgslEngine.create(gpu, { ...options, tuning });
    const theirs = await PlanEngine.create('wasm', options);
    const weights = someWeights(theirs.layout, options.arena);
    const length = theirs.layout.parameterCount + theirs.layout.extraCount;
    const sums = [ours, theirs].map(() => options.arena.float32(length));
    for (const m of [microBatchSize, microBatchSize - 1]) {
      for (const [i, engine] of ([ours, theirs] as Engine[]).entries()) {
        writeSamples(engine, m);
        await engine.setWeights(weights);
        await engine.gradientSum(m, sums[i]!);
      }
      for (const { name, offset, size } of theirs.layout.tensors) {
        const [a, b] = sums.map((sum) => sum.subarray(offset, offset + size));
        assert.ok(relativeDistance(a!, b!) < 3e-6, `${name}, ${m} samples: ${relativeDistance(a!, b!)}`);
      }
    }
  }

  it('gives a gradient behind pooling as the few that it is, which it does for many pictures', async () => {
    await compare(modelNamed('pooling first, long rows of patches, odd sizes pooled by 2'), 5, { sparseFrom: 1 });
    const { conv2d, maxPooling2d, flatten, dense } = tfl.layers;
    const layers = [
      conv2d({ inputShape: [9, 10, 2], filters: 6, kernelSize: 3, padding: 'same', activation: 'tanh' }),
      conv2d({ filters: 5, kernelSize: [3, 4], padding: 'same', activation: 'relu' }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense({ units: 3 }),
    ];
    layers.forEach((layer, i) => (layer.name = `layer${i}`));
    await compare(modelSpecOf(tfl.sequential({ name: 'same padding', layers })), 4, { sparseFrom: 1 });
  });

  it('gives the same gradients with other tiles and blocks', async () => {
    const tile = { rows: 64, columns: 64, inner: 8, threadRows: 4, threadColumns: 8 };
    await compare(modelNamed('lenet5'), 3, { filters: 4, bytes: 8192, segment: 10, groups: 9, tile });
  });

  it('computes ranges of kept samples with the bits of one micro-batch after the other', async () => {
    const model = modelNamed('mlp');
    const [arena, microBatchSize] = [createArena(), 4];
    const train = imagesDataset(someImages(50, 'train'), model.inputScaling);
    const engine = await WgslEngine.create(gpu, { model, microBatchSize, arena, train });
    const weights = someWeights(engine.layout, arena);
    const order = { seed: 3, shuffle: 'epoch' } as const;
    const job = { purpose: 'gradient', epoch: 1, firstPosition: 8, sampleCount: 38, weights } as const;
    const alone = Object.create(engine, { ranges: { value: undefined } }) as Engine;
    const runners = [engine, alone].map((each) => {
      const feed = new ResidentFeed(each, { microBatchSize, order, train, test: train });
      return new MicroBatchRunner(each, arena, { microBatchSize, feed });
    });
    for (const [first, end, withSquares] of [
      [0, 10, false],
      [1, 7, true],
      [5, 5, false],
    ] as const) {
      const [together, apart] = await Promise.all(
        runners.map(async (runner) => {
          const nodes = await runner.run({ ...job, range: { first, end }, withSquares });
          return nodes.map(({ values, ...node }) => ({ ...node, values: values.slice() }));
        }),
      );
      assert.deepEqual(together, apart);
    }
  });

  it('adds up nodes on the device in the canonical tree', async () => {
    const { device } = gpu;
    const [length, count] = [300, 7];
    const own = gpuDeviceOf(device);
    const sums = { buffer: own.allocate(count * length * 4, 'sums'), type: 'f32' };
    const values = Float32Array.from({ length: count * length }, (_, i) => 1 / (1 + ((i * 7919) % 1000)));
    device.queue.writeBuffer(sums.buffer, 0, values);
    const batch = device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM });
    const tree = await DeviceTree.create(own, batch, sums, length, 8);
    const kernels = tree.kernels([
      { first: 0, end: 4 },
      { first: 4, end: 7 },
    ]);
    const [left, right] = [new Float32Array(length), new Float32Array(length)];
    const encoder = device.createCommandEncoder();
    encode(encoder, kernels, { samples: 1, microBatch: 1 });
    await new ReadBack(own).submit(encoder, [
      { from: sums.buffer, offset: 0, to: left },
      { from: sums.buffer, offset: 4 * length * 4, to: right },
    ]);
    const at = (k: number, i: number): number => values[k * length + i]!;
    const add = (a: number, b: number): number => Math.fround(a + b);
    for (let i = 0; i < length; i++) {
      assert.equal(left[i], add(add(at(0, i), at(1, i)), add(at(2, i), at(3, i))));
      assert.equal(right[i], add(add(at(4, i), at(5, i)), at(6, i)));
    }
  });
});
