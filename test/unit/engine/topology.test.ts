import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as tfl from '@tensorflow/tfjs-layers';

import { chooseEngine } from '../../../src/engine/choose-engine.js';
import { buildModelSpec, modelSpecOf } from '../../../src/engine/models/index.js';
import { modelNames, type ModelName } from '../../../src/engine/models/names.js';
import { stagesOf } from '../../../src/engine/plan/stages.js';
import { layoutOfTopology, readTopology } from '../../../src/engine/topology.js';

const { conv2d, dense, flatten, maxPooling2d, batchNormalization, gaussianNoise } = tfl.layers;
const specOf = (...layers: tfl.layers.Layer[]) => modelSpecOf(tfl.sequential({ name: 'model', layers }));

describe('the built-in models', () => {
  const parameterCounts: Record<ModelName, number> = { lenet5: 44_426, lenet: 431_080, fast: 215_194, mlp: 101_770 };
  for (const name of modelNames) {
    it(`${name} has ${parameterCounts[name]} parameters and survives its journey as JSON`, () => {
      const spec = buildModelSpec(name);
      assert.equal(layoutOfTopology(readTopology(spec)).parameterCount, parameterCounts[name]);
      assert.deepEqual(readTopology(JSON.parse(JSON.stringify(spec)) as typeof spec), readTopology(spec));
    });
  }

  it('have names for their tensors by layer and role, kernel before bias', () => {
    const { tensors } = layoutOfTopology(readTopology(buildModelSpec('lenet5')));
    const layers = ['conv1', 'conv2', 'dense1', 'dense2', 'dense3'];
    assert.deepEqual(
      tensors.map((t) => t.name),
      layers.flatMap((layer) => [`${layer}.kernel`, `${layer}.bias`]),
    );
    assert.deepEqual(tensors[2], { name: 'conv2.kernel', shape: [5, 5, 6, 16], offset: 156, size: 2400 });
  });

  it('are the only ones', () => {
    assert.throws(() => buildModelSpec('lenet6'), { code: 'UNKNOWN_MODEL', message: /lenet6, did you mean lenet/ });
  });
});

describe('readTopology', () => {
  it('counts positions as TensorFlow.js does, for every stride and padding', () => {
    for (const padding of ['valid', 'same'] as const) {
      for (const [height, width] of [
        [7, 10],
        [8, 9],
      ] as const) {
        for (const size of [1, 2, 3, 5]) {
          for (const strides of [1, 2, 3]) {
            const shape = { inputShape: [height, width, 2], padding, strides };
            for (const layer of [
              conv2d({ ...shape, kernelSize: size, filters: 4 }),
              maxPooling2d({ ...shape, poolSize: size }),
            ]) {
              const model = tfl.sequential({ layers: [layer, flatten()] });
              const expected = (layer.outputShape as (number | null)[]).slice(1);
              const ours = readTopology(modelSpecOf(model)).layers[0]!.outputShape;
              assert.deepEqual(ours, expected, `${padding} ${height}x${width} size ${size} stride ${strides}`);
            }
          }
        }
      }
    }
  });

  const refused: Record<string, [() => tfl.layers.Layer[], RegExp]> = {
    'a layer without kernels': [
      () => [gaussianNoise({ name: 'noise', inputShape: [4], stddev: 1 }), dense({ units: 3 })],
      /layer noise \(GaussianNoise\)/,
    ],
    'a constraint': [() => [dense({ inputShape: [4], units: 3, kernelConstraint: 'nonNeg' })], /kernel_constraint/],
    'normalisation over another axis than the last': [
      () => [batchNormalization({ inputShape: [4, 5, 3], axis: 1 }), flatten(), dense({ units: 3 })],
      /its axis is 1/,
    ],
    'frozen batch normalisation': [
      () => [batchNormalization({ inputShape: [4], trainable: false }), dense({ units: 3 })],
      /it is frozen/,
    ],
  };
  for (const [what, [layers, message]] of Object.entries(refused)) {
    it(`refuses ${what}, by name; auto goes op by op and says why`, () => {
      const spec = specOf(...layers());
      assert.throws(() => readTopology(spec), { code: 'LAYER_UNSUPPORTED', message });
      const choice = chooseEngine('auto', spec);
      assert.equal(choice.engine, 'wasm');
      assert.match(choice.reason, /^op by op/);
      assert.match(choice.reason, message);
    });
  }

  it('refuses a layer that is applied twice, and logits that are not a vector', () => {
    const input = tfl.input({ shape: [4] });
    const layer = dense({ units: 4, name: 'twice' });
    const outputs = layer.apply(layer.apply(input)) as tfl.SymbolicTensor;
    assert.throws(() => readTopology(modelSpecOf(tfl.model({ inputs: input, outputs }))), {
      code: 'LAYER_UNSUPPORTED',
      message: /twice.*more than once/,
    });
    const picture = specOf(conv2d({ inputShape: [9, 9, 1], filters: 2, kernelSize: 3 }));
    assert.throws(() => readTopology(picture), { code: 'MODEL_UNSUPPORTED', message: /\[7, 7, 2\]/ });
    assert.throws(() => chooseEngine('auto', picture), { code: 'MODEL_UNSUPPORTED' });
  });
});

describe('chooseEngine', () => {
  it('takes our own kernels where plans cover the model, and what is asked for otherwise', () => {
    for (const name of modelNames) assert.match(chooseEngine('auto', buildModelSpec(name)).engine, /^(native|wasm)$/);
    assert.equal(chooseEngine('cpu', buildModelSpec('mlp')).engine, 'cpu');
  });
});

describe('stagesOf', () => {
  it('joins convolution, pooling and activation in every order of the built-in models, and flatten moves nothing', () => {
    for (const name of ['lenet5', 'lenet', 'fast'] as const) {
      const kinds = stagesOf(readTopology(buildModelSpec(name))).map((s) =>
        s.kind === 'convolution' ? `${s.kind} ${s.pooled}` : s.kind,
      );
      assert.deepEqual([...new Set(kinds)], ['convolution true', 'identity', 'dense'], name);
    }
  });

  it('keeps pooling apart behind a tanh, where another input could win', () => {
    const stages = stagesOf(
      readTopology(
        specOf(
          conv2d({ inputShape: [8, 8, 1], filters: 2, kernelSize: 3, activation: 'tanh' }),
          maxPooling2d({ poolSize: 2 }),
          flatten(),
        ),
      ),
    );
    assert.deepEqual(
      stages.map((s) => s.kind),
      ['convolution', 'maxPooling', 'identity'],
    );
  });
});
