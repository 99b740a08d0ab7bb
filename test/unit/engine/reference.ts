/** TensorFlow.js in plain JavaScript, for any model that it can differentiate: what our engines are checked against. */
import * as tfl from '@tensorflow/tfjs-layers';

import type { ParameterLayout } from '../../../src/core/layout.js';
import { losses } from '../../../src/engine/losses.js';
import type { ModelSpec } from '../../../src/engine/model-spec.js';
import { tf } from '../../../src/engine/tensorflow.js';

export interface Samples {
  readonly x: Float32Array;
  readonly y: Int32Array;
  readonly targets: Float32Array;
}

/**
 * The gradient over all trained weights, and behind it loss sum and count of correct answers.
 *
 * @param training - whether layers behave as in training; false gives the two extras alone
 */
export async function reference(
  spec: ModelSpec,
  layout: ParameterLayout,
  weights: Float32Array,
  samples: Samples,
  m: number,
  training = true,
): Promise<Float32Array> {
  await tf.setBackend('cpu');
  const model = await tfl.loadLayersModel({ load: async () => ({ modelTopology: spec.topology as object }) });
  const result = tf.tidy(() => {
    const values = model.weights.map((weight) => {
      const { offset, size, shape } = slotOf(layout, weight);
      return tf.tensor(weights.slice(offset, offset + size), shape as number[]);
    });
    model.setWeights(values);
    const loss = losses[(spec.loss ?? 'softmaxCrossEntropy') as keyof typeof losses];
    const first = (all: Float32Array, shape: readonly (number | null)[]): tf.Tensor => {
      const size = (shape.slice(1) as number[]).reduce((product, d) => product * d, 1);
      return tf.tensor(all.slice(0, m * size), [m, ...(shape.slice(1) as number[])]);
    };
    const x = first(samples.x, model.inputs[0]!.shape);
    const y =
      samples.targets.length > 0
        ? first(samples.targets, model.outputs[0]!.shape)
        : tf.tensor1d(samples.y.slice(0, m), 'int32');
    const sum = new Float32Array(training ? layout.parameterCount + 2 : 2);
    if (!training) {
      const outputs = model.apply(x, { training }) as tf.Tensor;
      sum.set([loss.sum(outputs, y).dataSync()[0]!, loss.correctCount(outputs, y).dataSync()[0]!]);
      return sum;
    }
    let correct = 0;
    const { value, grads } = tf.variableGrads(
      () => {
        const outputs = model.apply(x, { training }) as tf.Tensor;
        correct = loss.correctCount(outputs, y).dataSync()[0]!;
        return loss.sum(outputs, y);
      },
      model.trainableWeights.map((weight) => weight.read() as tf.Variable),
    );
    for (const weight of model.trainableWeights)
      sum.set(grads[(weight.read() as tf.Variable).name]!.dataSync(), slotOf(layout, weight).offset);
    sum.set([value.dataSync()[0]!, correct], layout.parameterCount);
    return sum;
  });
  model.dispose();
  return result;
}

function slotOf({ tensors }: ParameterLayout, { originalName }: tfl.LayerVariable) {
  const name = originalName.replace('/', '.');
  const slot = tensors.find((tensor) => tensor.name === name);
  if (!slot) throw new Error(`the layout has no ${name}`);
  return slot;
}
