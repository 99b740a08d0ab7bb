import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as tfl from '@tensorflow/tfjs-layers';

import { createArena } from '../../../src/core/arena.js';
import { chooseEngine, createEngine } from '../../../src/engine/choose-engine.js';
import type { Engine } from '../../../src/engine/engine.js';
import { modelSpecOf } from '../../../src/engine/models/index.js';
import type { ModelSpec } from '../../../src/engine/model-spec.js';
import { OpByOpEngine } from '../../../src/engine/op-by-op/op-by-op-engine.js';
import { PlanEngine } from '../../../src/engine/plan-engine.js';
import { engineContract } from '../../contract/engine-contract.js';
import { keepsMemory } from '../../contract/steady-memory.js';
import { relativeDistance, someWeights, writeSamples } from './support.js';

const { layers: of } = tfl;
const microBatchSize = 4;

function specOf(...layers: tfl.layers.Layer[]): ModelSpec {
  layers.forEach((layer, i) => (layer.name = `layer${i}`));
  return modelSpecOf(tfl.sequential({ name: 'model', layers }));
}

/** What no plan covers, with convolutions, depthwise ones and look-ups in front, whose gradients are ours on this backend. */
const uncovered: Readonly<Record<string, () => ModelSpec>> = {
  'enlarged pictures': () =>
    specOf(
      of.conv2d({ inputShape: [6, 7, 2], filters: 5, kernelSize: [3, 2], strides: [1, 2], padding: 'same' }),
      of.upSampling2d({ size: [2, 2] }),
      of.depthwiseConv2d({ kernelSize: 3, strides: [2, 1], depthMultiplier: 2, activation: 'tanh' }),
      of.averagePooling2d({ poolSize: 2 }),
      of.flatten(),
      of.dense({ units: 3 }),
    ),
  'repeated vectors': () =>
    specOf(
      of.dense({ inputShape: [6], units: 4, activation: 'sigmoid' }),
      of.repeatVector({ n: 3 }),
      of.conv1d({ filters: 4, kernelSize: 2, activation: 'relu' }),
      of.flatten(),
      of.dense({ units: 3 }),
    ),
};

/** Gradient and extras of four samples at a place of the run. */
async function gradientOf(engine: Engine, place = { epoch: 3, position: 8 }): Promise<Float32Array> {
  const arena = createArena();
  const { layout } = engine;
  writeSamples(engine);
  const vectors = engine instanceof PlanEngine ? engineArenas.get(engine)! : arena;
  const sum = vectors.float32(layout.parameterCount + layout.extraCount);
  await engine.setWeights(someWeights(layout, vectors));
  await engine.gradientSum(microBatchSize, sum, place);
  return sum.slice();
}
const engineArenas = new WeakMap<Engine, ReturnType<typeof createArena>>();

describe('op by op on plain JavaScript', () => engineContract((options) => OpByOpEngine.create('cpu', options), false));
describe('op by op on wasm', () => engineContract((options) => OpByOpEngine.create('wasm', options), false));

describe('OpByOpEngine', () => {
  for (const [what, model] of Object.entries(uncovered)) {
    it(`${what}: wasm takes them, says why, and computes what plain JavaScript does`, async () => {
      const options = { model: model(), microBatchSize, arena: createArena() };
      assert.match(chooseEngine('auto', options.model).reason, /^op by op, which is slower: layer layer1/);
      const engine = await createEngine('wasm', options);
      assert.ok(engine instanceof OpByOpEngine);
      const ours = await gradientOf(engine);
      const theirs = await gradientOf(await OpByOpEngine.create('cpu', options));
      assert.ok(relativeDistance(ours, theirs) < 3e-6, String(relativeDistance(ours, theirs)));
      assert.ok(
        engine.layout.tensors.every(({ offset, size }) => theirs.subarray(offset, offset + size).some((g) => g)),
      );
    });
  }

  it('draws the masks of plans, and gives the statistics that plans give', async () => {
    const model = specOf(
      of.conv2d({
        inputShape: [6, 5, 2],
        filters: 3,
        kernelSize: 2,
        kernelRegularizer: tfl.regularizers.l2({ l2: 0.1 }),
      }),
      of.batchNormalization({ momentum: 0.8 }),
      of.dropout({ rate: 0.4 }),
      of.flatten(),
      of.dense({ units: 3 }),
    );
    const options = { model, microBatchSize, arena: createArena(), seed: 11 };
    const plan = await PlanEngine.create('wasm', options);
    engineArenas.set(plan, options.arena);
    for (const name of ['wasm', 'cpu'] as const) {
      const engine = await OpByOpEngine.create(name, options);
      assert.deepEqual(engine.layout, plan.layout);
      assert.equal(engine.layout.averages.length, 2);
      for (const place of [
        { epoch: 0, position: 0 },
        { epoch: 2, position: 40 },
      ])
        assert.ok(relativeDistance(await gradientOf(engine, place), await gradientOf(plan, place)) < 3e-6, name);
    }
  });

  const small: Readonly<Record<string, () => ModelSpec>> = {
    'normalised, with dropout': () =>
      specOf(
        of.dense({ inputShape: [4], units: 5, activation: 'tanh' }),
        of.batchNormalization(),
        of.dropout({ rate: 0.5 }),
        of.dense({ units: 3 }),
      ),
    'what no plan covers': () =>
      specOf(
        of.conv2d({ inputShape: [3, 3, 1], filters: 2, kernelSize: 2 }),
        of.upSampling2d({ size: [2, 2] }),
        of.flatten(),
        of.dense({ units: 3 }),
      ),
  };
  for (const [what, model] of Object.entries(small))
    for (const name of ['wasm', 'cpu'] as const)
      keepsMemory(`${name}, ${what}`, model, (options) => OpByOpEngine.create(name, options));

  it('freezes what its layer says is frozen, inside of another model too', async () => {
    const inner = tfl.sequential({
      name: 'inner',
      layers: [of.dense({ name: 'a', inputShape: [5], units: 4, trainable: false })],
    });
    const model = specOf(
      of.repeatVector({ inputShape: [5], n: 1 }),
      of.flatten(),
      inner,
      of.dense({ units: 3, trainable: false }),
      of.dense({ units: 3 }),
    );
    const { layout } = await OpByOpEngine.create('cpu', { model, microBatchSize, arena: createArena() });
    const trained = layout.tensors.filter(({ offset }) => offset < layout.parameterCount).map(({ name }) => name);
    assert.deepEqual(trained, ['layer4.kernel', 'layer4.bias']);
    assert.equal(layout.tensors.length, 6);
  });

  it('changes no weight by training', async () => {
    const model = specOf(of.batchNormalization({ inputShape: [5], momentum: 0.5 }), of.dense({ units: 3 }));
    const engine = await OpByOpEngine.create('cpu', { model, microBatchSize, arena: createArena() });
    const first = await gradientOf(engine);
    assert.deepEqual(await gradientOf(engine), first);
    const [before, after] = [new Float32Array(2), new Float32Array(2)];
    await engine.evaluate(microBatchSize, before);
    await engine.gradientSum(microBatchSize, new Float32Array(first.length));
    await engine.evaluate(microBatchSize, after);
    assert.deepEqual(after, before);
  });

  const refused: Readonly<Record<string, readonly [() => tfl.layers.Layer, RegExp]>> = {
    'chance of its own': [() => of.gaussianNoise({ stddev: 1 }), /layer1 \(GaussianNoise\).*random numbers of its own/],
    'a constraint': [() => of.dense({ units: 3, kernelConstraint: 'nonNeg' }), /layer1 \(Dense\).*kernelConstraint/],
    'state from batch to batch': [
      () => of.simpleRNN({ units: 3, stateful: true, batchInputShape: [4, 5, 3], recurrentInitializer: 'zeros' }),
      /\(SimpleRNN\).*from batch to batch/,
    ],
    'a constraint inside of a wrapper': [
      () => of.timeDistributed({ layer: of.dense({ units: 2, kernelConstraint: 'nonNeg' }) }),
      /\(TimeDistributed\).*kernelConstraint/,
    ],
    'a regulariser whose weight is not its own': [
      () => of.timeDistributed({ layer: of.dense({ units: 2, kernelRegularizer: 'l1l2' }) }),
      /\(TimeDistributed\).*kernelRegularizer belongs to no weight/,
    ],
    'dropout inside of a cell': [
      () => of.gru({ units: 3, dropout: 0.5, recurrentInitializer: 'zeros' }),
      /\(GRU\).*dropout draws random numbers/,
    ],
  };
  for (const [what, [layer, message]] of Object.entries(refused)) {
    it(`refuses ${what}, by name`, async () => {
      const first = what === 'state from batch to batch' ? [] : [of.reshape({ inputShape: [15], targetShape: [5, 3] })];
      const model = specOf(...first, layer(), of.dense({ units: 3 }));
      await assert.rejects(OpByOpEngine.create('cpu', { model, microBatchSize, arena: createArena() }), {
        code: 'LAYER_UNTRAINABLE',
        message,
      });
    });
  }

  it('names the layer that has no gradient', async () => {
    const model = specOf(
      of.conv2d({ inputShape: [8, 8, 1], filters: 2, kernelSize: 2 }),
      of.conv2d({ filters: 2, kernelSize: 3, dilationRate: 2 }),
      of.flatten(),
      of.dense({ units: 3 }),
    );
    const engine = await OpByOpEngine.create('wasm', { model, microBatchSize, arena: createArena() });
    await assert.rejects(gradientOf(engine), {
      code: 'LAYER_UNTRAINABLE',
      message: /layer1 \(Conv2D\).*dilation rates greater than 1/,
    });
  });
});
