import type { ParameterLayout, TensorSlot } from '../core/layout.js';
import { randomStream } from '../core/random.js';
import { fault } from './faults.js';

/**
 * Glorot uniform kernels (Glorot & Bengio 2010) and zero biases. A tensor depends on the seed and on its own name and shape
 * alone, so that adding a layer leaves the others as they were.
 *
 * @param weights - float32[parameterCount], overwritten
 * @throws LockstepError `TENSOR_WITHOUT_INITIALISER` for a tensor that is neither kernel nor bias
 */
export function initialiseWeights(layout: ParameterLayout, seed: number, weights: Float32Array): void {
  for (const tensor of layout.tensors) {
    const values = weights.subarray(tensor.offset, tensor.offset + tensor.size);
    if (tensor.name.endsWith('.kernel')) fillGlorotUniform(tensor, seed, values);
    else if (tensor.name.endsWith('.bias')) values.fill(0);
    else throw fault('TENSOR_WITHOUT_INITIALISER', { tensor: tensor.name });
  }
}

/** Uniform in [-limit, limit), limit = sqrt(6 / (fanIn + fanOut)); float64 until each value is stored. */
function fillGlorotUniform({ name, shape }: TensorSlot, seed: number, values: Float32Array): void {
  const limit = Math.sqrt(6 / fanSum(shape));
  const random = randomStream(seed, 'initial-weights', name);
  for (let i = 0; i < values.length; i++) values[i] = (2 * random.uniform() - 1) * limit;
}

/** fanIn + fanOut as Keras counts them: of a convolution, receptive field times channels on either side. */
function fanSum(shape: readonly number[]): number {
  const receptiveField = shape.slice(0, -2).reduce((size, d) => size * d, 1);
  return receptiveField * (shape.at(-2)! + shape.at(-1)!);
}
