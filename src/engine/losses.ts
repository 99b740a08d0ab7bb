/** The losses in TensorFlow.js, for engines that run op by op; kernels/loss.c says the same in C. */
import type { LossName } from './model-spec.js';
import { tf } from './tensorflow.js';

export interface Loss {
  /** Over samples. @param y - classes int32[m], or targets shaped as the outputs */
  readonly sum: (outputs: tf.Tensor, y: tf.Tensor) => tf.Scalar;
  readonly correctCount: (outputs: tf.Tensor, y: tf.Tensor) => tf.Tensor;
}

export const losses: Readonly<Record<LossName, Loss>> = {
  softmaxCrossEntropy: {
    sum(logits, y) {
      const answers = tf.oneHot(y, logits.shape[1]!, 1, 0, 'float32');
      return tf.neg<tf.Scalar>(tf.sum(tf.mul(answers, tf.logSoftmax(logits))));
    },
    correctCount: (logits, y) => tf.sum(tf.equal(tf.argMax(logits, 1), y)),
  },

  sigmoidCrossEntropy: {
    sum(logits, y) {
      const largest = tf.sub(tf.relu(logits), tf.mul(logits, y));
      return meanOverOutputs(tf.add(largest, tf.log1p(tf.exp(tf.neg(tf.abs(logits))))));
    },
    correctCount: (logits, y) => tf.sum(tf.all(flat(tf.equal(tf.greater(logits, 0), tf.greater(y, 0.5))), 1)),
  },

  meanSquaredError: {
    sum: (outputs, y) => meanOverOutputs(tf.squaredDifference(outputs, y)),
    correctCount: (outputs, y) =>
      sizeOf(outputs) === 1 ? tf.scalar(0) : tf.sum(tf.equal(tf.argMax(flat(outputs), 1), tf.argMax(flat(y), 1))),
  },
};

/** Elements of one sample. */
const sizeOf = (values: tf.Tensor): number => values.size / values.shape[0];

const flat = (values: tf.Tensor): tf.Tensor => tf.reshape(values, [values.shape[0], -1]);

const meanOverOutputs = (values: tf.Tensor): tf.Scalar => tf.div(tf.sum(values), sizeOf(values));
