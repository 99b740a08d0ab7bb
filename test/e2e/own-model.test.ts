/** `--model FILE.json`: a user's model has what the built-in ones have, op by op too. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { encodedImages, imagesDataset } from '../../src/data/encoded-images.js';
import { readIdxContent } from '../../src/data/idx.js';
import { losses } from '../../src/engine/losses.js';
import { buildModelSpec } from '../../src/engine/models/index.js';
import { unitScaling } from '../../src/engine/models/scaling.js';
import { tf } from '../../src/engine/tensorflow.js';
import { readSafetensors } from '../../src/store/safetensors.js';
import { skippedWithoutNative } from '../unit/engine/support.js';
import { jsonLines, runToEnd, workshop, type JsonLine } from './lockstep.js';
import { fileModels, modelOf, saveModel } from './model-files.js';
import { reportOf, resultOf, trainLosingOne } from './results.js';

const place = workshop({ after });
const data = place.smallDataset();
const isLinux = process.platform === 'linux';

/** Ten steps an epoch. */
const base = [
  'train',
  '--metrics-port',
  '0',
  '--json',
  '--dataset',
  data,
  '--global-batch',
  '48',
  '--micro-batch',
  '12',
];
/** So many that a signal arrives long before the end. */
const many = ['--steps', '160', '--eval-every', '40steps'];
const few = ['--steps', '8', '--eval-every', '6steps'];

let normalised: readonly string[];
let uncovered: readonly string[];
before(async () => {
  const write = async (name: keyof typeof fileModels) =>
    ['--model', await saveModel(place.path(name), modelOf(fileModels[name]()))] as const;
  normalised = [...base, ...(await write('normalised')), ...many, '--threads', '1'];
  uncovered = [...base, ...(await write('uncovered')), ...few];
});

async function train(args: readonly string[], out: string, ...more: string[]): Promise<JsonLine> {
  return reportOf(await runToEnd([...args, '--out', place.path(out), ...more], place.folder));
}

const trainWithLoss = (args: readonly string[], out: string, step: number): Promise<JsonLine> =>
  trainLosingOne(place, args, out, step);

let alone: Promise<JsonLine> | undefined;
const trainedAlone = (): Promise<JsonLine> =>
  (alone ??= train(normalised, 'alone', '--workers', '1', '--engine', 'wasm'));

test('batch normalisation and dropout: one digest on 1, 2 and 3 workers', async () => {
  const expected = await trainedAlone();
  assert.deepEqual([expected['engine'], expected['model']], ['wasm', 'normalised']);
  assert.ok(Number(expected['testAccuracy']) > 0.9, 'and it learns');
  for (const workers of ['2', '3'])
    assert.deepEqual(
      resultOf(await train(normalised, `with-${workers}`, '--workers', workers, '--engine', 'wasm')),
      resultOf(expected),
    );
});

test('and natively', { skip: skippedWithoutNative() }, async () => {
  const native = await train(normalised, 'native', '--workers', '2', '--engine', 'native');
  assert.equal(native['engine'], 'native');
  assert.deepEqual(resultOf(native), resultOf(await trainedAlone()));
});

test('and with a worker that is killed on the way', { skip: !isLinux }, async () => {
  const survived = await trainWithLoss([...normalised, '--engine', 'wasm'], 'killed', 20);
  assert.deepEqual(resultOf(survived), resultOf(await trainedAlone()));
});

test('and resumed in mid-epoch, without the file of the model', async () => {
  const path = place.path('moved/model.json');
  await saveModel(place.path('moved'), modelOf(fileModels.normalised()));
  await train(normalised, 'first', '--model', path, '--steps', '25');
  rmSync(path);
  const going = ['train', '--metrics-port', '0', '--json', '--resume', place.path('first'), '--workers', '3'];
  const resumed = reportOf(await runToEnd([...going, '--steps', '160'], place.folder));
  assert.deepEqual(resultOf(resumed), resultOf(await trainedAlone()));
});

test('an evaluation takes the running averages, as TensorFlow.js does with the weights that are left', async () => {
  await trainedAlone();
  const model = modelOf(fileModels.normalised());
  const { tensors } = await readSafetensors(join(place.path('alone'), 'final.safetensors'));
  const found = new Map(tensors.map(({ name, shape, data: values }) => [name, tf.tensor(values, [...shape])]));
  model.setWeights(model.weights.map(({ originalName }) => found.get(originalName.replaceAll('/', '.'))!));
  const read = async (name: string) => ({ path: name, content: await readIdxContent(join(data, name)) });
  const encoded = encodedImages(await read('t10k-images-idx3-ubyte'), await read('t10k-labels-idx1-ubyte'));
  const [x, y] = [new Float32Array(encoded.count * 784), new Int32Array(encoded.count)];
  imagesDataset(encoded, unitScaling).read([...y.keys()], x, y);
  const outputs = model.predict(tf.tensor(x, [encoded.count, 28, 28, 1])) as tf.Tensor;
  const { sum, correctCount } = losses.softmaxCrossEntropy;
  const labels = tf.tensor1d(y, 'int32');
  const records = readFileSync(join(place.path('alone'), 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const evaluation = records
    .map((line) => JSON.parse(line) as Record<string, number>)
    .findLast((r) => 'testLoss' in r)!;
  assert.equal(correctCount(outputs, labels).dataSync()[0]! / encoded.count, evaluation['testAccuracy']);
  const loss = sum(outputs, labels).dataSync()[0]! / encoded.count;
  assert.ok(Math.abs(loss / evaluation['testLoss']! - 1) < 1e-5, `${loss}, not ${evaluation['testLoss']}`);
});

test('what no plan covers: op by op on 1 and 3 workers, with one lost on the way: one digest, and it is said once', async () => {
  const first = await runToEnd(
    [...uncovered, '--workers', '1', '--threads', '2', '--out', place.path('op1')],
    place.folder,
  );
  const expected = reportOf(first);
  assert.equal(expected['engine'], 'wasm');
  const said = jsonLines(first.stdout).filter((line) => 'opByOp' in line);
  assert.equal(said.length, 1);
  assert.match(String(said[0]!['opByOp']), /^layer upsampling2d3 \(UpSampling2D\) cannot be compiled to a plan/);
  // The run that loses one has three until then.
  const three = isLinux ? trainWithLoss(uncovered, 'op-lost', 2) : train(uncovered, 'op3', '--workers', '3');
  assert.deepEqual(resultOf(await three), resultOf(expected));
});

test('a built-in model from a file is that model: the same plan, the same digest', async () => {
  const { topology: modelTopology } = buildModelSpec('mlp');
  writeFileSync(place.path('own.json'), JSON.stringify({ format: 'layers-model', modelTopology }));
  const two = [...base, '--steps', '2', '--workers', '1'];
  const own = await train(two, 'mlp-own', '--model', place.path('own.json'));
  assert.equal(own['weightsDigest'], (await train(two, 'mlp-built-in', '--model', 'mlp'))['weightsDigest']);
});

test('another loss: asked for, or what the file was compiled with', async () => {
  const { topology: modelTopology } = buildModelSpec('mlp');
  const file = { format: 'layers-model', modelTopology, trainingConfig: { loss: 'meanSquaredError' } };
  writeFileSync(place.path('compiled.json'), JSON.stringify(file));
  const flags = [...base, '--steps', '2', '--workers', '1'];
  const compiled = await train(flags, 'compiled', '--model', place.path('compiled.json'));
  const asked = await train(flags, 'asked', '--model', 'mlp', '--loss', 'meanSquaredError');
  assert.equal(compiled['weightsDigest'], asked['weightsDigest']);
  assert.ok(Number(compiled['finalLoss']) < 1, 'the first loss of 10 classes is below that of their cross-entropy');
});

test('weights beside the file are those that a run starts from', async () => {
  const model = modelOf(fileModels.normalised());
  const path = await saveModel(place.path('weighted'), model, true);
  const still = ['--optimizer', 'sgd', '--lr', '1e-30', '--steps', '1', '--workers', '1'];
  await train(normalised, 'still', '--model', path, ...still);
  const { tensors } = await readSafetensors(join(place.path('still'), 'final.safetensors'));
  const trained = new Map(tensors.map(({ name, data: values }) => [name, values]));
  for (const weight of model.trainableWeights) {
    const values = trained.get(weight.originalName.replaceAll('/', '.'))!;
    assert.ok(
      weight
        .read()
        .dataSync<'float32'>()
        .every((value, i) => Math.abs(value - values[i]!) < 1e-30),
      weight.originalName,
    );
  }
});

test('what is wrong with a model is one line, before anything is written', async () => {
  const content = JSON.parse(readFileSync(normalised[normalised.indexOf('--model') + 1]!, 'utf8')) as {
    modelTopology: { config: { layers: { class_name: string; config: Record<string, unknown> }[] } };
  };
  const changed = (name: string, change: (layers: (typeof content)['modelTopology']['config']['layers']) => void) => {
    const copy = structuredClone(content);
    change(copy.modelTopology.config.layers);
    writeFileSync(place.path(name), JSON.stringify(copy));
    return place.path(name);
  };
  writeFileSync(place.path('text.json'), 'layers');
  const wrong: readonly (readonly [string, RegExp])[] = [
    [place.path('gone.json'), /gone\.json: no such file/],
    [place.path('text.json'), /text\.json: it is not JSON/],
    [changed('custom.json', (l) => (l[2]!.class_name = 'Mine')), /layer activation2 is of class Mine/],
    [changed('large.json', (l) => (l[0]!.config['batch_input_shape'] = [null, 32, 32, 3])), /28 x 28 x 1.*32 x 32 x 3/],
    [changed('seven.json', (l) => (l[5]!.config['units'] = 7)), /class 9.*classes 0 to 6/],
  ];
  for (const [path, message] of wrong) {
    const folder = place.path('never');
    const { code, stderr } = await runToEnd([...normalised, '--model', path, '--out', folder], place.folder);
    const lines = stderr.trim().split('\n');
    assert.deepEqual([code, lines.length, existsSync(folder)], [2, 2, false], stderr);
    assert.match(lines[0]!, message);
    assert.match(lines[1]!, /^remedy: /);
  }
});
