import { batchSizeAt, type BatchHistory } from './batch-history.js';

/** The batch follows the gradient noise scale between two bounds, by doubling and halving. */
export interface AdaptiveBatch {
  readonly min: number;
  readonly max: number;
}

/** Growing the batch in place of decaying the learning rate (Smith et al. 2018): times `factor` after each so many samples. */
export interface BatchGrowth {
  readonly everySamples: number;
  readonly factor: number;
  readonly max: number;
}

/** Steps that a size stays, so that the averages behind the noise scale can follow. */
const settleSteps = 16;

/**
 * The size of step `step + 1`. It is a function of what finished steps left, so it is the same for every worker, whatever
 * the cluster does, and after a restart.
 *
 * @param history - up to step `step`
 * @param noiseScale - in samples, as finished steps measured it
 */
export function adaptedBatchSize(
  { min, max }: AdaptiveBatch,
  history: BatchHistory,
  step: number,
  noiseScale: number | undefined,
): number {
  const size = batchSizeAt(history, step);
  const since = history.findLast(({ fromStep }) => fromStep <= step)!.fromStep;
  if (noiseScale === undefined || step + 1 - since < settleSteps) return size;
  if (noiseScale >= 2 * size && 2 * size <= max) return 2 * size;
  if (noiseScale < size / 2 && size / 2 >= min) return size / 2;
  return size;
}

/**
 * @param first - size of the first step
 * @param samplesBefore - of all steps before the one that is asked about
 * @param unit - the size is a multiple of it
 */
export function grownBatchSize(
  { everySamples, factor, max }: BatchGrowth,
  first: number,
  samplesBefore: number,
  unit: number,
): number {
  let size = first;
  for (let n = Math.floor(samplesBefore / everySamples); n > 0 && size < max; n--) size *= factor;
  return Math.max(unit, Math.floor(Math.min(size, max) / unit) * unit);
}
