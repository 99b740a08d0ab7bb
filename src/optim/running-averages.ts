import type { ParameterLayout } from '../core/layout.js';

/**
 * Takes every running average a step towards this step's statistic: `momentum * old + (1 - momentum) * sum / sampleCount`,
 * float64 inside, rounded once. Other weights that
 * are not trained stay what they are. Once a step, on every worker; a step that is skipped leaves them as they are.
 *
 * @param from - the weights before the step; `to` the ones after it, of which those that are not trained are written
 * @param extras - what lies behind the gradient: sums over all micro-batches of statistic times samples
 */
export function updateRunningAverages(
  { averages, parameterCount }: Pick<ParameterLayout, 'averages' | 'parameterCount'>,
  from: Float32Array,
  to: Float32Array,
  extras: Float32Array,
  sampleCount: number,
): void {
  to.set(from.subarray(parameterCount), parameterCount);
  for (const { offset, size, extra, momentum } of averages) {
    for (let i = 0; i < size; i++)
      to[offset + i] = momentum * from[offset + i]! + (1 - momentum) * (extras[extra + i]! / sampleCount);
  }
}
