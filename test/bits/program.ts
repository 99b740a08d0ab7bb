/**
 * Trains small models for some steps and prints the digests of their weights, one JSON object: what scripts/same-bits.mjs
 * compares between compilers, versions of Node.js and processors. `LOCKSTEP_NATIVE` names the addon.
 */
import * as tfl from '@tensorflow/tfjs-layers';

import { createArena } from '../../src/core/arena.js';
import { weightsDigest } from '../../src/core/digest.js';
import { createEngine } from '../../src/engine/choose-engine.js';
import type { EngineName } from '../../src/engine/engine.js';
import { buildModelSpec, modelSpecOf } from '../../src/engine/models/index.js';
import type { ModelSpec } from '../../src/engine/model-spec.js';
import { nativeStatus } from '../../src/engine/native-kernels.js';
import { createOptimizer } from '../../src/optim/registry.js';
import { someWeights, writeSamples } from '../unit/engine/support.js';
import { Trainer } from '../unit/optim/optimizer-harness.js';

const microBatchSize = 8;
const steps = 4;

/** A layer that no plan covers, convolutions with gradients of ours, random masks and running averages. */
function uncovered(): ModelSpec {
  const { conv2d, batchNormalization, dropout, upSampling2d, maxPooling2d, flatten, dense } = tfl.layers;
  const layers = [
    conv2d({ inputShape: [12, 12, 1], filters: 6, kernelSize: 3, activation: 'relu' }),
    batchNormalization(),
    upSampling2d({ size: [2, 2] }),
    maxPooling2d({ poolSize: 3 }),
    dropout({ rate: 0.2 }),
    conv2d({ filters: 9, kernelSize: 2, activation: 'tanh' }),
    flatten(),
    dense({ units: 10 }),
  ];
  layers.forEach((layer, i) => (layer.name = `layer${i}`));
  return modelSpecOf(tfl.sequential({ name: 'uncovered', layers }));
}

async function digestOf(name: EngineName, model: ModelSpec): Promise<string> {
  const arena = createArena();
  const engine = await createEngine(name, { model, microBatchSize, arena, seed: 3 });
  const { layout } = engine;
  const weights = someWeights(layout, arena);
  const sum = arena.float32(layout.parameterCount + layout.extraCount);
  const factors = { learningRate: 0.01, sampleCount: microBatchSize, clipFactor: 1 };
  const trainer = new Trainer(createOptimizer('adam', {}, layout.tensors), weights, factors);
  const trained = sum.subarray(0, layout.parameterCount);
  for (let step = 0; step < steps; step++) {
    writeSamples(engine, step);
    await engine.setWeights(weights);
    await engine.gradientSum(microBatchSize, sum, { epoch: 0, position: step * microBatchSize });
    weights.set(trainer.step(trained).weights.subarray(0, layout.parameterCount));
  }
  return weightsDigest(weights) + weightsDigest(sum).slice(0, 8); // and the statistics, which train no weight here
}

const native = nativeStatus();
const lenet5 = buildModelSpec('lenet5');
const report = {
  node: process.version,
  processor: process.arch,
  native: native.available ? native.variant : native.reason,
  digests: {
    native: native.available ? await digestOf('native', lenet5) : 'none',
    wasm: await digestOf('wasm', lenet5),
    opByOp: await digestOf('wasm', uncovered()),
  },
};
process.stdout.write(`${JSON.stringify(report)}\n`);
