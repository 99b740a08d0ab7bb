/** Metrics by name: one value a sample, as a function of a run's module would give it. */
import type { Tensor } from '@tensorflow/tfjs-core';

import type { MetricName, SampleFunction, TensorFlow } from '../own/definition.js';

export const builtInMetrics: Readonly<Record<MetricName, SampleFunction>> = {
  accuracy: (tf, labels, outputs) => isAmong(tf, 1, labels, outputs),
  top5Accuracy: (tf, labels, outputs) => isAmong(tf, 5, labels, outputs),
  meanAbsoluteError: (tf, labels, outputs) => tf.mean(tf.abs(differences(tf, labels, outputs)), 1),
  meanSquaredError: (tf, labels, outputs) => tf.mean(tf.square(differences(tf, labels, outputs)), 1),
};

/** 1 where fewer than `places` outputs are larger than that of the sample's class, else 0. */
function isAmong(tf: TensorFlow, places: number, labels: Tensor, outputs: Tensor): Tensor {
  const [, classes = 0] = outputs.shape;
  if (labels.rank !== 1 || labels.dtype !== 'int32' || outputs.rank !== 2 || classes < 2)
    throw new TypeError('it needs class numbers as labels, and one output for each class');
  const own = tf.sum(tf.mul(tf.oneHot(labels, classes, 1, 0, 'float32'), outputs), 1, true);
  return tf.cast(tf.less(tf.sum(tf.cast(tf.greater(outputs, own), 'int32'), 1), places), 'float32');
}

/** (m, outputs). */
function differences(tf: TensorFlow, labels: Tensor, outputs: Tensor): Tensor {
  if (labels.size !== outputs.size) throw new TypeError('it needs labels of as many values as there are outputs');
  const m = outputs.shape[0];
  return tf.sub(tf.reshape(tf.cast(labels, 'float32'), [m, -1]), tf.reshape(outputs, [m, -1]));
}
