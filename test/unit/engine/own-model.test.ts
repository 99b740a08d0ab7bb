import assert from 'node:assert/strict';
import { test } from 'node:test';

import { withCanonicalNames } from '../../../src/engine/canonical-names.js';
import { describeModel } from '../../../src/engine/describe-model.js';
import { initialiseWeights, weightsWith } from '../../../src/engine/initial-weights.js';
import { buildOwnModel } from '../../../src/engine/own-model.js';
import { userTensorFlow as tf } from '../../../src/engine/user-tensorflow.js';
import type { RunDefinition } from '../../../src/own/definition.js';

const seed = 5;

/** What a run starts from whose module builds this model; undefined if that follows from the seed. */
async function startOf(model: RunDefinition['model']) {
  const built = await buildOwnModel({ path: 'run.mjs', run: { model, data: 'mnist' } }, seed);
  const { layout } = await describeModel(built.model);
  const kept = new Map(built.kept.map(({ name, data }) => [name, data]));
  const weights = weightsWith(kept, layout, seed, built.model.topology);
  const drawn = new Float32Array(layout.weightCount);
  initialiseWeights(layout, seed, drawn, built.model.topology);
  return { ...built, layout, weights, drawn };
}

const dense = (units: number, more: object = {}) => tf.layers.dense({ units, inputShape: [3], ...more });
const last = (units: number) => tf.layers.dense({ units });

test('what is chance in a model is drawn anew from the seed: nothing is left to say', async () => {
  const { weights, kept } = await startOf(() => tf.sequential({ layers: [dense(4), last(2)] }));
  assert.equal(weights, undefined);
  assert.deepEqual(
    kept.map(({ name }) => name),
    ['dense_Dense1.bias', 'dense_Dense2.bias'],
    'zeros each time',
  );
});

test('what is the same each time is kept', async () => {
  const given = Float32Array.from({ length: 12 }, (_, i) => i);
  const { weights, drawn, layout } = await startOf(() => {
    const model = tf.sequential({ layers: [dense(4), last(2)] });
    model.layers[0]!.setWeights([tf.tensor(given, [3, 4]), tf.zeros([4])]);
    return model;
  });
  const second = layout.tensors.find(({ name }) => name === 'dense_Dense2.kernel')!;
  assert.deepEqual(weights!.subarray(0, 12), given);
  const part = (values: Float32Array) => values.subarray(second.offset, second.offset + second.size);
  assert.deepEqual(part(weights!), part(drawn));
});

test('a frozen layer stays as it is', async () => {
  const frozen = { trainable: false, kernelInitializer: 'ones' };
  const { layout, weights } = await startOf(() => tf.sequential({ layers: [dense(4, frozen), last(2)] }));
  assert.equal(layout.parameterCount, 10);
  assert.equal(weights, undefined, 'ones are what the initialiser of that name gives');
});

test('a random initialiser of the user has to be replaced', async () => {
  const kernelInitializer = Object.assign(Object.create(tf.initializers.randomNormal({})) as object, {
    getClassName: () => 'Mine',
  });
  await assert.rejects(
    startOf(() => tf.sequential({ layers: [dense(4, { kernelInitializer })] })),
    { code: 'TENSOR_WITHOUT_INITIALISER', message: /dense_Dense1\.kernel .*initialiser Mine/, remedy: /--init/ },
  );
});

test('names of layers do not depend on what a process has built before', async () => {
  const model = () => tf.sequential({ layers: [dense(4), tf.layers.dense({ units: 3, name: 'mine' }), last(2)] });
  const [first, second] = [await startOf(model), await startOf(model)];
  assert.deepEqual(first.model, second.model);
  assert.deepEqual(
    first.layout.tensors.map(({ name }) => name.split('.')[0]),
    ['dense_Dense1', 'dense_Dense1', 'mine', 'mine', 'dense_Dense2', 'dense_Dense2'],
  );
});

test('in functional and nested models, too', () => {
  const name = (of: { config: { name: string } }) => of.config.name;
  const inner = {
    class_name: 'Sequential',
    config: { name: 'sequential_9', layers: [{ class_name: 'Dense', config: { name: 'dense_Dense8' } }] },
  };
  const outer = {
    class_name: 'Model',
    config: { name: 'model4', layers: [inner], output_layers: [['sequential_9', 0, 0]] },
  };
  const { config } = withCanonicalNames(outer) as typeof outer;
  assert.equal(config.name, 'model1');
  assert.equal(name(config.layers[0]!), config.output_layers[0]![0]);
  assert.equal(name(config.layers[0]!.config.layers[0]!), 'dense_Dense1');
});

test('model() that fails or returns something else is told with the file', async () => {
  const failing = () => {
    throw new Error('no such layer');
  };
  await assert.rejects(startOf(failing), {
    code: 'RUN_MODULE_BROKEN',
    message: /run\.mjs: model\(\) failed: no such layer/,
  });
  await assert.rejects(startOf((() => 3) as never), { code: 'RUN_MODULE_MALFORMED' });
  const softmax = () => tf.sequential({ layers: [dense(4, { activation: 'softmax' })] });
  await assert.rejects(startOf(softmax), { code: 'OUTPUT_ALREADY_ACTIVATED' });
});

test('tensors have their methods, and orthogonal initialisers run', async () => {
  assert.deepEqual(tf.tensor1d([1, 2, 3]).mul(2).sum().dataSync()[0], 12);
  const layers = () => [tf.layers.gru({ units: 2, inputShape: [3, 2] }), tf.layers.dense({ units: 2 })];
  assert.equal((await startOf(() => tf.sequential({ layers: layers() }))).weights, undefined);
});
