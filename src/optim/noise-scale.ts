/**
 * The gradient noise scale (McCandlish et al. 2018, "An empirical model of large-batch training"): tr(S) / |G|^2, where G is
 * the true gradient and S the covariance of a sample's. Batches far below it lose nothing by growing; far above it, larger
 * ones save few steps.
 *
 * Both are estimated from one step's M equal micro-batches of b samples, with q the mean of their squared norms and Q the
 * squared norm of their mean:
 *
 *     |G|^2 = (M Q - q) / (M - 1)        tr(S) = b M (q - Q) / (M - 1)
 *
 * Single estimates are noise themselves: each is averaged over steps, and then divided.
 */

/** Part of the training state. */
export interface NoiseAverages {
  /** Of estimates of |G|^2 and of tr(S): running averages, both with the same weights. */
  readonly square: number;
  readonly trace: number;
}

/** Squared norms take time, so they are taken in every so many steps only. */
const everySteps = 8;
/** Share of the past: an estimate counts for about 20 measurements, 160 steps. */
const kept = 0.95;

export function isNoiseMeasured(step: number): boolean {
  return step % everySteps === 1;
}

export interface NoiseMeasurement {
  /** Samples of each micro-batch. */
  readonly microBatchSize: number;
  readonly sampleCount: number;
  /** Over all micro-batches, of the squared norm of the mean gradient of each. */
  readonly squareSum: number;
  /** L2 norm of the mean gradient of the step. */
  readonly norm: number;
}

/**
 * @param before - undefined before the first measurement
 * @returns `before` where the step says nothing: fewer than two micro-batches, or not equal ones
 */
export function averageNoise(before: NoiseAverages | undefined, m: NoiseMeasurement): NoiseAverages | undefined {
  const count = m.sampleCount / m.microBatchSize;
  if (!Number.isInteger(count) || count < 2 || !Number.isFinite(m.squareSum)) return before;
  const q = m.squareSum / count;
  const Q = m.norm * m.norm;
  const square = (count * Q - q) / (count - 1);
  const trace = (m.microBatchSize * count * (q - Q)) / (count - 1);
  if (!before) return { square, trace };
  return { square: kept * before.square + (1 - kept) * square, trace: kept * before.trace + (1 - kept) * trace };
}

/** In samples; undefined while noise is all that there is to see. */
export function noiseScaleOf(averages: NoiseAverages | undefined): number | undefined {
  return averages && averages.square > 0 && averages.trace > 0 ? averages.trace / averages.square : undefined;
}
