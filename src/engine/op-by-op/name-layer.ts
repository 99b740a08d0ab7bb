import type * as tfl from '@tensorflow/tfjs-layers';

import { tf } from '../tensorflow.js';

interface LayerCall {
  readonly layer: tfl.layers.Layer;
  readonly inputs: tf.Tensor | tf.Tensor[];
  readonly options: Parameters<tfl.layers.Layer['call']>[1];
}

/**
 * The first layer through which no gradient can be computed: each is tried alone, on the inputs that it got. TensorFlow.js
 * itself names an operation, if anything, and a model has many of each.
 *
 * @param forward - the pass that failed; runs the layers of `model`
 * @returns undefined if every layer alone is fine
 */
export function layerWithoutGradient(
  model: tfl.LayersModel,
  forward: () => unknown,
): { readonly layer: tfl.layers.Layer; readonly reason: string } | undefined {
  const calls: LayerCall[] = [];
  try {
    const failure = recordCalls(model, forward, calls);
    return failure ? { layer: calls.at(-1)!.layer, reason: failure.message } : firstWithoutGradient(calls);
  } finally {
    tf.dispose(calls.map(({ inputs }) => inputs));
  }
}

function firstWithoutGradient(calls: readonly LayerCall[]): ReturnType<typeof layerWithoutGradient> {
  let isBehindWeights = false;
  for (const { layer, inputs, options } of calls) {
    const weights = layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const output = (given: typeof inputs): tf.Scalar => tf.sum([layer.call(given, options)].flat()[0]!);
    try {
      if (weights.length > 0) tf.variableGrads(() => output(inputs), weights);
      if (isBehindWeights) tf.grads((...given) => output(Array.isArray(inputs) ? given : given[0]!))([inputs].flat());
    } catch (error) {
      return { layer, reason: (error as Error).message };
    }
    isBehindWeights ||= weights.length > 0;
  }
  return undefined;
}

/**
 * @param calls - filled with copies of the inputs, which the model disposes of; the caller has to dispose of them
 * @returns why the last of the calls failed, if it did
 */
function recordCalls(model: tfl.LayersModel, forward: () => unknown, calls: LayerCall[]): Error | undefined {
  const originals = model.layers.map((layer) => layer.call.bind(layer));
  model.layers.forEach((layer, i) => {
    layer.call = (inputs, options) => {
      const copies = [inputs].flat().map((input) => tf.keep(tf.clone(input)));
      calls.push({ layer, inputs: Array.isArray(inputs) ? copies : copies[0]!, options });
      return originals[i]!(inputs, options);
    };
  });
  try {
    forward();
    return undefined;
  } catch (error) {
    if (calls.length === 0) throw error;
    return error as Error;
  } finally {
    model.layers.forEach((layer, i) => (layer.call = originals[i]!));
  }
}
