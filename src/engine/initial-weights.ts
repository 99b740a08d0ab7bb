import type { ParameterLayout, TensorSlot } from '../core/layout.js';
import { randomStream } from '../core/random.js';
import { fault } from './faults.js';

/**
 * Glorot uniform kernels (Glorot & Bengio 2010), tables of rows uniform in +-0.05, normalisation that does nothing yet, and
 * zeros otherwise: TensorFlow.js's defaults, but for Glorot's normal distribution. A tensor depends on the seed and on its own name and shape
 * alone, so that adding a layer leaves the others as they were.
 *
 * @param weights - float32[weightCount], overwritten
 * @throws LockstepError `TENSOR_WITHOUT_INITIALISER` for a tensor whose role is unknown
 */
export function initialiseWeights(layout: ParameterLayout, seed: number, weights: Float32Array): void {
  for (const tensor of layout.tensors) {
    const values = weights.subarray(tensor.offset, tensor.offset + tensor.size);
    const initialise = initialisers[tensor.name.slice(tensor.name.lastIndexOf('.') + 1)];
    if (!initialise) throw fault('TENSOR_WITHOUT_INITIALISER', { tensor: tensor.name });
    initialise(tensor, seed, values);
  }
}

type Initialiser = (tensor: TensorSlot, seed: number, values: Float32Array) => void;

const glorot: Initialiser = (tensor, seed, values) =>
  fillUniform(tensor, seed, Math.sqrt(6 / fanSum(tensor.shape)), values);
const constant =
  (value: number): Initialiser =>
  (_tensor, _seed, values) =>
    void values.fill(value);

/** By the tensor's role, the last part of its name. */
const initialisers: Readonly<Record<string, Initialiser>> = {
  kernel: glorot,
  depthwise_kernel: glorot,
  pointwise_kernel: glorot,
  embeddings: (tensor, seed, values) => fillUniform(tensor, seed, 0.05, values),
  bias: constant(0),
  beta: constant(0),
  alpha: constant(0),
  moving_mean: constant(0),
  gamma: constant(1),
  moving_variance: constant(1),
};

/** Uniform in [-limit, limit); float64 until each value is stored. */
function fillUniform({ name }: TensorSlot, seed: number, limit: number, values: Float32Array): void {
  const random = randomStream(seed, 'initial-weights', name);
  for (let i = 0; i < values.length; i++) values[i] = (2 * random.uniform() - 1) * limit;
}

/** fanIn + fanOut, under the root of 6 / them; as Keras counts them: of a convolution, receptive field times channels on either side. */
function fanSum(shape: readonly number[]): number {
  const receptiveField = shape.slice(0, -2).reduce((size, d) => size * d, 1);
  return receptiveField * (shape.at(-2)! + shape.at(-1)!);
}
