/**
 * What the engine `tensorflow` costs beside TensorFlow.js by hand: forward and backward of one micro-batch through the Engine
 * interface, and by `tf.variableGrads` on the same model, on the same libtensorflow, turn by turn in one process.
 *
 *     npm run build && node dist/bench/tensorflow.js [--model lenet5] [--batch 128] [--threads 1] [--rounds 11] [--json]
 *
 * Ours takes new weights in every step, as training does, and ends with the gradient in one vector; by hand the weights stay and
 * each gradient is read. A round measures either a few times and keeps the median; the figure is the median of the rounds, the
 * ratio the median of the rounds' ratios.
 */
import { parseArgs } from 'node:util';

import * as tfl from '@tensorflow/tfjs-layers';

import { prepareTensorflow } from '../src/engine/libtensorflow/environment.js';
import { tensorflowStatus } from '../src/engine/libtensorflow/status.js';
import { buildModelSpec } from '../src/engine/models/index.js';
import { tf } from '../src/engine/tensorflow.js';
import { trialStep } from '../src/engine/trial-step.js';
import { median, timed } from './timing.js';

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    model: { type: 'string', default: 'lenet5' },
    batch: { type: 'string', default: '128' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '11' },
  },
});

/** Calls of one candidate in one round. */
const repeats = 7;

/** Also reads all gradients: before that nothing says that they are computed. */
async function byHand(batch: number): Promise<() => void> {
  const model = await tfl.loadLayersModel({ load: async () => ({ modelTopology: spec.topology as object }) });
  const x = tf.randomUniform([batch, ...(model.inputs[0]!.shape.slice(1) as number[])]);
  const classes = tf.tensor1d(
    Array.from({ length: batch }, (_, i) => i % 10),
    'int32',
  );
  const answers = tf.oneHot(classes, 10);
  const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  return () =>
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(
        () =>
          tf.losses.softmaxCrossEntropy<tf.Tensor, tf.Scalar>(answers, model.apply(x, { training: true }) as tf.Tensor),
        weights,
      );
      for (const gradient of [value, ...Object.values(grads)]) gradient.dataSync();
    });
}

prepareTensorflow(Number(flags.threads));
const status = tensorflowStatus();
if (!status.available) throw new Error(status.reason);
const spec = buildModelSpec(flags.model);
const batch = Number(flags.batch);
const ours = await trialStep('tensorflow', spec, batch); //           it loads the backend for both
const theirs = await byHand(batch);

const rounds: { readonly ours: number; readonly theirs: number }[] = [];
for (let round = -2; round < Number(flags.rounds); round++) {
  const measured = { ours: await timed(ours, repeats), theirs: await timed(theirs, repeats) };
  if (round >= 0) rounds.push(measured); //                           the first ones warm up
}
const [oursMs, theirsMs] = [median(rounds.map((r) => r.ours)), median(rounds.map((r) => r.theirs))];
const ratio = median(rounds.map((r) => r.theirs / r.ours));
if (flags.json)
  console.log(JSON.stringify({ model: flags.model, batch, oursMs, theirsMs, ratio, version: status.version }));
else
  console.log(
    `${flags.model}, batch ${batch}, ${flags.threads} thread(s), ${status.version}: engine ${oursMs.toFixed(2)} ms, by hand ${theirsMs.toFixed(2)} ms, speed ${ratio.toFixed(2)} times that by hand`,
  );
