import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createArena } from '../../../src/core/arena.js';
import { OpByOpEngine } from '../../../src/engine/op-by-op/op-by-op-engine.js';
import { modelNames } from '../../../src/engine/models/names.js';
import { loadWasmKernels } from '../../../src/engine/kernels.js';
import { compilePlan, forEachBlock } from '../../../src/engine/plan/plan.js';
import type { Program } from '../../../src/engine/plan/program.js';
import { PlanEngine } from '../../../src/engine/plan-engine.js';
import { layoutOfTopology, readTopology } from '../../../src/engine/topology.js';
import { engineContract } from '../../contract/engine-contract.js';
import { keepsMemory } from '../../contract/steady-memory.js';
import {
  cornerNames,
  modelNamed,
  relativeDistance,
  skippedWithoutNative,
  someWeights,
  writeSamples,
} from './support.js';

describe('wasm', () => {
  engineContract((options) => PlanEngine.create('wasm', options));
  keepsMemory(
    'lenet5',
    () => modelNamed('lenet5'),
    (options) => PlanEngine.create('wasm', options),
  );
});
describe('native', { skip: skippedWithoutNative() }, () => {
  engineContract((options) => PlanEngine.create('native', options));
  keepsMemory(
    'lenet5',
    () => modelNamed('lenet5'),
    (options) => PlanEngine.create('native', options),
  );
});

/** Relative, by tensor, in the L2 norm. Two float32 engines that add in other orders: 7e-7 at most was seen. */
const tolerance = 3e-6;

describe('PlanEngine against TensorFlow.js', () => {
  for (const name of [...modelNames, ...cornerNames]) {
    const sizes = name === 'lenet' || name === 'fast' ? [1, 5] : [1, 3, 7]; // the reference takes a second for 7 of those
    it(`${name}: loss and every tensor's gradient agree, for micro-batches of ${sizes.join(' and ')}`, async () => {
      const options = { model: modelNamed(name), microBatchSize: 7, arena: createArena() };
      const [wasm, cpu] = [await PlanEngine.create('wasm', options), await OpByOpEngine.create('cpu', options)];
      assert.deepEqual(wasm.layout, cpu.layout);
      const { parameterCount, tensors, extraCount } = wasm.layout;
      const weights = someWeights(wasm.layout, options.arena);
      const ours = options.arena.float32(parameterCount + extraCount);
      const theirs = new Float32Array(parameterCount + extraCount);
      for (const m of sizes) {
        writeSamples(wasm, m);
        writeSamples(cpu, m);
        wasm.setWeights(weights);
        await cpu.setWeights(weights);
        wasm.gradientSum(m, ours);
        await cpu.gradientSum(m, theirs);
        for (const { name: tensor, offset, size } of tensors) {
          const [a, b] = [ours, theirs].map((sum) => sum.subarray(offset, offset + size)) as [
            Float32Array,
            Float32Array,
          ];
          assert.ok(
            b.some((g) => g !== 0),
            `${tensor} has a gradient`,
          );
          assert.ok(relativeDistance(a, b) < tolerance, `${tensor}, micro-batch of ${m}: ${relativeDistance(a, b)}`);
        }
        assert.ok(Math.abs(ours[parameterCount]! / theirs[parameterCount]! - 1) < 1e-6, 'loss');
        assert.equal(ours[parameterCount + 1], theirs[parameterCount + 1], 'correct count');
      }
    });
  }
});

describe('PlanEngine', () => {
  it('refuses what would write or read outside of its memory', async () => {
    const arena = createArena();
    const engine = await PlanEngine.create('wasm', { model: modelNamed('mlp'), microBatchSize: 4, arena });
    const { parameterCount } = engine.layout;
    const weights = arena.float32(parameterCount);
    const sum = arena.float32(parameterCount + engine.layout.extraCount);
    assert.throws(() => engine.gradientSum(1, sum), /no weights/);
    engine.setWeights(weights);
    for (const m of [0, 5, 1.5, NaN]) assert.throws(() => engine.gradientSum(m, sum), RangeError);
    assert.throws(() => engine.setWeights(weights.subarray(1)), RangeError);
    assert.throws(() => engine.gradientSum(1, sum.subarray(1)), RangeError);
    assert.throws(() => engine.setWeights(new Float32Array(parameterCount)), /not in the arena/);
    engine.y[1] = 10;
    engine.gradientSum(1, sum);
    assert.throws(() => engine.gradientSum(2, sum), /label 10 of sample 1/);
  });

  it('reserves nothing in a step', async () => {
    const arena = createArena();
    const engine = await PlanEngine.create('wasm', { model: modelNamed('lenet5'), microBatchSize: 8, arena });
    const weights = someWeights(engine.layout, arena);
    const sum = arena.float32(engine.layout.parameterCount + engine.layout.extraCount);
    const before = arena.reserve(0);
    engine.setWeights(weights);
    for (let i = 0; i < 3; i++) engine.gradientSum(8, sum);
    assert.equal(arena.reserve(0), before);
  });
});

describe('blocks of samples', () => {
  for (const name of ['lenet5', ...cornerNames]) {
    it(`${name}: same bits in blocks of 3 as at once, gradient and evaluation`, async () => {
      const topology = readTopology(modelNamed(name));
      const { parameterCount, weightCount, extraCount } = layoutOfTopology(topology);
      const results = await Promise.all(
        [7, 3].map(async (blockSize) => {
          const arena = createArena();
          const kernels = await loadWasmKernels(arena);
          const plan = compilePlan(topology, 7, arena, kernels.lane_count(), 0, blockSize);
          writeSamples(plan);
          const weights = someWeights(layoutOfTopology(topology), arena);
          assert.equal(weights.length, weightCount);
          const sums = arena.float32(parameterCount + extraCount);
          const run = ({ address, length }: Program, m: number): void =>
            kernels.run_program(0, address, length, m, weights.byteOffset, sums.byteOffset);
          run(plan.packing, 1);
          const place = { position: 0, epoch: 0 };
          forEachBlock(plan, 7, place, (m) => run(plan.gradient, m));
          const gradient = sums.slice();
          forEachBlock(plan, 7, place, (m) => run(plan.evaluation, m));
          return [gradient, sums.slice(0, 2)];
        }),
      );
      assert.deepEqual(results[1], results[0]);
    });
  }
});
