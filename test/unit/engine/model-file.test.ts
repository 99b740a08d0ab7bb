import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import * as tfl from '@tensorflow/tfjs-layers';

import { describeModel } from '../../../src/engine/describe-model.js';
import { nameOfModelFile, readModelFile } from '../../../src/engine/model-file.js';
import { readModelWeights } from '../../../src/engine/model-file-weights.js';
import type { LossName } from '../../../src/engine/model-spec.js';
import { fileModels, modelOf, saveModel } from '../../e2e/model-files.js';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-model-'));
after(() => rmSync(folder, { recursive: true, force: true }));

type Json = Record<string, unknown>;
interface JsonLayer {
  class_name: string;
  config: Json;
}

let written = 0;
/** A file with what `change` makes of a model's JSON. */
async function changed(layers: () => tfl.layers.Layer[], change: (file: Json, layers: JsonLayer[]) => unknown) {
  const path = await saveModel(join(folder, `changed-${written++}`), modelOf(layers()));
  const file = JSON.parse(readFileSync(path, 'utf8')) as Json;
  const topology = file['modelTopology'] as { config: { layers: JsonLayer[] } };
  const result = change(file, topology.config.layers) ?? file;
  writeFileSync(path, typeof result === 'string' ? result : JSON.stringify(result));
  return path;
}

const { dense, flatten } = tfl.layers;
const tiny = () => [flatten({ inputShape: [2, 3] }), dense({ units: 4 })];

describe('readModelFile', () => {
  it('reads what TensorFlow.js saves, with its weights under the names of the layout', async () => {
    const model = modelOf(fileModels.normalised());
    const path = await saveModel(join(folder, 'saved'), model, true);
    const { spec, weightsManifest } = await readModelFile(path);
    assert.equal(spec.name, 'saved');
    assert.equal(spec.loss, undefined);
    const weights = await readModelWeights(path, weightsManifest!);
    const { layout, gap } = await describeModel(spec);
    assert.equal(gap, undefined);
    assert.deepEqual(weights.map(({ name }) => name).sort(), layout.tensors.map(({ name }) => name).sort());
    const kernel = model.layers[0]!.weights[0]!.read().dataSync<'float32'>();
    assert.deepEqual(weights.find(({ name }) => name === 'conv2d0.kernel')!.data, kernel);
  });

  it('reads weights that were quantized', async () => {
    const path = join(folder, 'quantized.json');
    writeFileSync(join(folder, 'bytes.bin'), Uint8Array.of(0, 1, 255));
    const quantization = { dtype: 'uint8', min: -1, scale: 0.5 };
    const entry = { name: 'dense1/bias', shape: [3], dtype: 'float32', quantization };
    const [bias] = await readModelWeights(path, [{ paths: ['bytes.bin'], weights: [entry] }]);
    assert.deepEqual([bias!.name, ...bias!.data], ['dense1.bias', -1, -0.5, 126.5]);
  });

  it('takes Keras wrappings, and the loss that the model was compiled with unless another is asked for', async () => {
    const compiled = async (loss: unknown, asked: LossName | 'auto' = 'auto') => {
      const path = await changed(tiny, (file) => ({
        modelTopology: { model_config: file['modelTopology'], training_config: { loss } },
      }));
      return (await readModelFile(path, asked)).spec.loss;
    };
    assert.equal(await compiled('mean_squared_error'), 'meanSquaredError');
    assert.equal(await compiled({ class_name: 'BinaryCrossentropy', config: {} }), 'sigmoidCrossEntropy');
    assert.equal(await compiled('sparse_categorical_crossentropy'), undefined, 'which is what there is otherwise');
    assert.equal(await compiled('hinge'), undefined);
    assert.equal(await compiled('mse', 'sigmoidCrossEntropy'), 'sigmoidCrossEntropy');
  });

  it('calls a model after its file, or after the folder of a model.json', () => {
    assert.equal(nameOfModelFile('nets/small net.json'), 'small-net');
    assert.equal(nameOfModelFile('nets/mine/model.json'), 'mine');
  });

  const refused: Readonly<Record<string, readonly [(file: Json, layers: JsonLayer[]) => unknown, string, RegExp]>> = {
    'no JSON': [() => '{', 'MODEL_FILE_UNREADABLE', /it is not JSON/],
    'JSON of another kind': [() => '[1]', 'NOT_A_LAYERS_MODEL', /no JSON object/],
    'a graph model': [(file) => ({ ...file, format: 'graph-model' }), 'NOT_A_LAYERS_MODEL', /graph model/],
    'no layers': [() => ({ modelTopology: { node: [] } }), 'NOT_A_LAYERS_MODEL', /names no class/],
    'an activation that the loss applies': [
      (_, layers) => void (layers[1]!.config['activation'] = 'softmax'),
      'OUTPUT_ALREADY_ACTIVATED',
      /layer dense1 ends the model with softmax/,
    ],
  };
  for (const [what, [change, code, message]] of Object.entries(refused)) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(readModelFile(await changed(tiny, change)), { code, message });
    });
  }

  it('refuses a file, or one with weights, that is not there', async () => {
    const missing = { code: 'MODEL_FILE_UNREADABLE', message: /gone.*no such file/ };
    await assert.rejects(readModelFile(join(folder, 'gone.json')), missing);
    const manifest = [{ paths: ['gone.bin'], weights: [] }];
    await assert.rejects(readModelWeights(join(folder, 'model.json'), manifest), missing);
  });
});

describe('describeModel', () => {
  const described = async (
    layers: () => tfl.layers.Layer[],
    change: (file: Json, layers: JsonLayer[]) => unknown = () => undefined,
  ) => describeModel((await readModelFile(await changed(layers, change))).spec);

  it('tells what a plan would, without one, and which layer is to blame', async () => {
    const { layout, inputShape, outputs, gap } = await described(fileModels.uncovered);
    assert.deepEqual([inputShape, outputs], [[28, 28, 1], 10]);
    assert.match(gap!, /^layer upsampling2d3 \(UpSampling2D\)/);
    const names = layout.tensors.map(({ name }) => name);
    assert.ok(['gru6.kernel', 'gru6.recurrent_kernel', 'gru6.bias'].every((name) => names.includes(name)));
    assert.equal(layout.penalties.length, 1, "the regulariser of a layer with a cell is the layer's");
    assert.equal(layout.averages.length, 2);
  });

  it('a class that TensorFlow.js does not have', async () => {
    const change = (_: Json, layers: JsonLayer[]): unknown => void (layers[3]!.class_name = 'Mine');
    const error = { code: 'LAYER_CLASS_UNKNOWN', message: /upsampling2d3 is of class Mine/ };
    await assert.rejects(described(fileModels.uncovered, change), error);
  });

  it('a layer without a gradient', async () => {
    const change = (_: Json, layers: JsonLayer[]): unknown => void (layers[1]!.config['dilation_rate'] = [2, 2]);
    const error = { code: 'LAYER_UNTRAINABLE', message: /conv2d1 \(Conv2D\).*dilation/ };
    await assert.rejects(described(fileModels.uncovered, change), error);
  });

  it('what TensorFlow.js cannot build, or compute', async () => {
    const wrong = (_: Json, layers: JsonLayer[]): unknown => void (layers[5]!.config['target_shape'] = [7, 7]);
    const shape = { code: 'LAYER_UNTRAINABLE', message: /reshape5 \(Reshape\).*new array must be unchanged/ };
    await assert.rejects(described(fileModels.uncovered, wrong), shape);
    const less = (_: Json, layers: JsonLayer[]): unknown => void (layers[1]!.config['filters'] = -1);
    const error = { code: 'MODEL_UNSUPPORTED', message: /cannot build it: [^\n]*$/ };
    await assert.rejects(described(fileModels.uncovered, less), error);
  });

  it('an engine that runs plans alone is told the layer', async () => {
    const { spec } = await readModelFile(await changed(fileModels.uncovered, () => undefined));
    await assert.rejects(describeModel(spec, 'native'), { code: 'LAYER_UNSUPPORTED', message: /upsampling2d3/ });
  });
});
