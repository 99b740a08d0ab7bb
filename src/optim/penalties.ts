import type { Penalty } from '../core/layout.js';

/**
 * Adds the slope of the penalties, l1 * sum |w| + l2 * sum w^2, to a mean gradient: once a step and not once a sample. The
 * vector holds sums, so `sampleCount` times the slope is what is added: float64 inside, rounded once, element by element.
 *
 * @param gradientSum - float32[parameterCount] and more; elements begin..end-1 are changed, where they have a penalty
 * @param weights - those that the gradient belongs to
 */
export function addPenalties(
  penalties: readonly Penalty[],
  gradientSum: Float32Array,
  weights: Float32Array,
  sampleCount: number,
  begin: number,
  end: number,
): void {
  for (const { offset, size, l1, l2 } of penalties) {
    for (let i = Math.max(offset, begin); i < Math.min(offset + size, end); i++) {
      const weight = weights[i]!;
      gradientSum[i] = gradientSum[i]! + sampleCount * (l1 * Math.sign(weight) + 2 * l2 * weight);
    }
  }
}
