/** Norms and finiteness of whole vectors: never taken by slice, so that they do not depend on the cluster. */
import { trainedPart, type ParameterLayout } from '../core/layout.js';
import { sumOfSquares, type SumOfSquares } from './norm.js';

/**
 * The L2 norm of the mean gradient over all parameters. NaN or infinite when an element is; never so otherwise, since
 * the squares are float64.
 *
 * Element i of a tensor goes to partial sum i mod 16; the partial sums are added in a fixed tree, neighbours first; then
 * the tensors in their order.
 *
 * @param gradientSum - float32[>= parameterCount]; elements behind the parameters are left out
 * @param sampleCount - samples behind the sum, at least 1
 * @param squares - what adds up the squares of a tensor
 */
export function gradientNorm(
  gradientSum: Float32Array,
  layout: ParameterLayout,
  sampleCount: number,
  squares: SumOfSquares = sumOfSquares,
): number {
  let total = 0;
  for (const { offset, size } of trainedPart(layout).tensors) total += squares(gradientSum, offset, offset + size);
  return Math.sqrt(total) / sampleCount;
}

/**
 * The factor that scales a mean gradient of this norm down to `clipNorm`, or 1 where it is not longer or there is no
 * limit. (PyTorch's `clip_grad_norm_` divides by norm + 1e-6; we do not.)
 */
export function clipFactor(norm: number, clipNorm: number | undefined): number {
  return clipNorm !== undefined && norm > clipNorm ? clipNorm / norm : 1;
}

/** Whether no element is NaN or infinite. */
export function isFiniteVector(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value - value !== 0) return false; //                     NaN for NaN and infinities
  }
  return true;
}
