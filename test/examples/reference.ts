/** The reference: a run's model and data, trained by TensorFlow.js's own `fit`, of which Lockstep uses nothing. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type * as tfl from '@tensorflow/tfjs-layers';

import type { Dataset } from '../../src/data/dataset.js';
import { loadRunModule, openData } from '../../src/own/load-module.js';
import { tf } from '../../src/engine/tensorflow.js';
import { userTensorFlow } from '../../src/engine/user-tensorflow.js';

/** A saved model, opened by TensorFlow.js itself. */
async function saved(path: string): Promise<tfl.LayersModel> {
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(path, 'utf8')) as {
    modelTopology: object;
    weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
  };
  const bytes = weightsManifest.flatMap(({ paths }) => paths.map((name) => readFileSync(join(dirname(path), name))));
  const weightData = Uint8Array.from(Buffer.concat(bytes)).buffer;
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  return userTensorFlow.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
}

/** @param args - of the command line: epochs, batch, learning rate and schedule are taken from it */
export async function trainedByTensorFlow(
  path: string,
  args: readonly string[],
): Promise<{ readonly loss: number; readonly accuracy: number }> {
  const given = (flag: string): string => args[args.indexOf(flag) + 1]!;
  const [epochs, batchSize, rate] = ['--epochs', '--global-batch', '--lr'].map((flag) => Number(given(flag))) as [
    number,
    number,
    number,
  ];
  const run = await loadRunModule(path);
  const { train, test } = await openData(path, run);
  await tf.ready();
  if (typeof run.model !== 'function') throw new Error(`${path} builds no model`);
  const model = await run.model({ tf: userTensorFlow, seed: 1, loadModel: (file) => saved(join(dirname(path), file)) });
  const isRegression = run.loss === 'meanSquaredError';
  const outputs = model.outputShape[1] as number;
  const tensorsOf = async (dataset: Dataset, epoch: number): Promise<[tf.Tensor, tf.Tensor]> => {
    const { length, x, y } = dataset;
    const samples = await dataset.read([...Array(length).keys()], { seed: 1, epoch });
    const scale = x.dtype === 'uint8' ? 1 / 255 : 1;
    const inputs = tf.tensor(
      Float32Array.from(samples.x, (value) => value * scale),
      [length, ...x.shape],
    );
    const labels = isRegression
      ? tf.tensor(Float32Array.from(samples.y), [length, ...y.shape])
      : tf.cast(tf.oneHot(tf.tensor1d(Int32Array.from(samples.y), 'int32'), outputs), 'float32');
    return [inputs, labels];
  };
  const optimizer = tf.train.adam(rate);
  const loss = isRegression ? 'meanSquaredError' : (y: tf.Tensor, o: tf.Tensor) => tf.losses.softmaxCrossEntropy(y, o);
  model.compile({ optimizer, loss });
  const steps = epochs * Math.ceil(train.data.length / batchSize);
  let step = 0;
  const onBatchBegin = (): void => {
    const share =
      args.includes('--lr-schedule') && given('--lr-schedule') === 'cosine' ? (step++ / steps) * Math.PI : 0;
    Object.assign(optimizer, { learningRate: (rate * (1 + Math.cos(share))) / 2 });
  };
  for (let epoch = 0; epoch < epochs; epoch++) {
    const [x, y] = await tensorsOf(train.data, epoch);
    await model.fit(x, y, {
      epochs: 1,
      batchSize,
      shuffle: true,
      verbose: 0,
      callbacks: { onBatchBegin: async () => onBatchBegin() },
    });
    tf.dispose([x, y]);
  }
  const [x, y] = await tensorsOf(test.data, 0);
  const predicted = model.predict(x) as tf.Tensor;
  const lossTensor = isRegression
    ? tf.mean(tf.square(tf.sub(predicted, y)))
    : tf.losses.softmaxCrossEntropy(y, predicted);
  const accuracy = tf.mean(tf.cast(tf.equal(tf.argMax(predicted, 1), tf.argMax(y, 1)), 'float32'));
  return { loss: lossTensor.dataSync()[0]!, accuracy: accuracy.dataSync()[0]! };
}
