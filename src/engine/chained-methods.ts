/**
 * `x.mean()` beside `tf.mean(x)`. TensorFlow.js's package for Node.js leaves the methods of tensors out of its core, though its
 * own layers call some: an orthogonal initialiser does.
 */
import { tf } from './tensorflow.js';

/** Operations that take the tensor first, and are methods under the same name. */
const names =
  'abs acos acosh add all any argMax argMin asin asinh atan atan2 atanh batchNorm broadcastTo cast ceil clipByValue conv1d conv2d cos cosh cumsum depthwiseConv2d div divNoNan dot elu equal erf exp expandDims expm1 floor floorDiv gather greater greaterEqual isFinite isInf isNaN leakyRelu less lessEqual log log1p logSigmoid logSoftmax logSumExp logicalAnd logicalNot logicalOr matMul max maximum mean min minimum mod mul neg norm notEqual oneHot onesLike pad pow prelu prod reciprocal relu relu6 reshape reverse round rsqrt selu sigmoid sign sin sinh slice softmax softplus split sqrt square squaredDifference squeeze step stridedSlice sub sum tan tanh tile topk transpose unstack zerosLike';

type Operation = (x: tf.Tensor, ...others: unknown[]) => unknown;

/** Gives tensors their methods; those that are there stay. */
export function addTensorMethods(): void {
  const methods = tf.Tensor.prototype as unknown as Record<string, unknown>;
  const operations = tf as unknown as Readonly<Record<string, Operation>>;
  const add = (name: string, operation: Operation): void => {
    methods[name] ??= function (this: tf.Tensor, ...others: unknown[]) {
      return operation(this, ...others);
    };
  };
  for (const name of names.split(' ')) add(name, operations[name]!);
  add('flatten', (x) => tf.reshape(x, [x.size]));
  add('asScalar', (x) => tf.reshape(x, []));
  add('as1D', (x) => tf.reshape(x, [x.size]));
  add('asType', (x, dtype) => tf.cast(x, dtype as tf.DataType));
  add('reshapeAs', (x, like) => tf.reshape(x, (like as tf.Tensor).shape));
  for (const rank of [2, 3, 4, 5]) add(`as${rank}D`, (x, ...shape) => tf.reshape(x, shape as number[]));
  add('concat', (x, others, axis) => tf.concat([x, ...[others as tf.Tensor | tf.Tensor[]].flat()], axis as number));
  add('stack', (x, others, axis) => tf.stack([x, ...[others as tf.Tensor | tf.Tensor[]].flat()], axis as number));
  add('where', (x, condition, other) => tf.where(condition as tf.Tensor, x, other as tf.Tensor));
}
