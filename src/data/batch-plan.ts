/**
 * Which positions of which epoch a step takes, and how they fall into micro-batches. Pure functions of the spec and the
 * position: no rank and no world size here, so any number of workers sees the same batches.
 */
import { fault } from './faults.js';

/** Where the data stands between two steps. It is part of the training state. */
export interface DataPosition {
  /** 0-based pass over the data. */
  readonly epoch: number;
  /** Position in the epoch's order that comes next. */
  readonly firstPosition: number;
}

/** The samples of one step: positions `firstPosition..firstPosition + sampleCount - 1` of the epoch's order. */
export interface Batch extends DataPosition {
  /** `globalBatchSize`, or fewer at the end of an epoch. */
  readonly sampleCount: number;
}

/**
 * Steps of one epoch; the last of them is short when the batch does not divide the data, or is left out with `dropLast`.
 *
 * @throws LockstepError `NO_FULL_BATCH` when `dropLast` would leave out everything
 */
export function stepsPerEpoch(length: number, globalBatchSize: number, dropLast: boolean): number {
  if (!dropLast) return Math.ceil(length / globalBatchSize);
  if (length < globalBatchSize) throw fault('NO_FULL_BATCH', { length, globalBatchSize });
  return Math.floor(length / globalBatchSize);
}

/** Samples that one epoch uses: all of them, unless `dropLast` leaves out the rest. */
export function samplesPerEpoch(length: number, globalBatchSize: number, dropLast: boolean): number {
  return dropLast ? stepsPerEpoch(length, globalBatchSize, true) * globalBatchSize : length;
}

/**
 * The batch of the step that starts at `position`, and the position after it. A batch never crosses an epoch's end.
 *
 * @param nextBatchSize - of the step after it, where batches vary: with `dropLast` it decides whether the epoch is over
 * @throws LockstepError `NO_FULL_BATCH`
 */
export function batchAt(
  position: DataPosition,
  length: number,
  globalBatchSize: number,
  dropLast: boolean,
  nextBatchSize = globalBatchSize,
): { readonly batch: Batch; readonly next: DataPosition } {
  const { epoch, firstPosition } = settle(position, length, globalBatchSize, dropLast);
  const sampleCount = Math.min(globalBatchSize, length - firstPosition);
  return {
    batch: { epoch, firstPosition, sampleCount },
    next: settle({ epoch, firstPosition: firstPosition + sampleCount }, length, nextBatchSize, dropLast),
  };
}

/** The same position, or the start of the next epoch where this one has no batch left. */
function settle(position: DataPosition, length: number, globalBatchSize: number, dropLast: boolean): DataPosition {
  if (dropLast && length < globalBatchSize) throw fault('NO_FULL_BATCH', { length, globalBatchSize });
  const least = dropLast ? globalBatchSize : 1;
  if (length - position.firstPosition >= least) return position;
  return { epoch: position.epoch + 1, firstPosition: 0 };
}

/** Where the data stands after `steps` steps from the start, all with the same `globalBatchSize`. */
export function positionAfter(steps: number, length: number, globalBatchSize: number, dropLast: boolean): DataPosition {
  const perEpoch = stepsPerEpoch(length, globalBatchSize, dropLast);
  return { epoch: Math.floor(steps / perEpoch), firstPosition: (steps % perEpoch) * globalBatchSize };
}

/** Samples that a run of so many steps uses, from the start, all with the same `globalBatchSize`. */
export function totalSamples(steps: number, length: number, globalBatchSize: number, dropLast: boolean): number {
  const { epoch, firstPosition } = positionAfter(steps, length, globalBatchSize, dropLast);
  return epoch * samplesPerEpoch(length, globalBatchSize, dropLast) + firstPosition;
}

/** Micro-batches of a batch; the last one is short when `microBatchSize` does not divide a short batch. */
export function microBatchCount(sampleCount: number, microBatchSize: number): number {
  return Math.ceil(sampleCount / microBatchSize);
}

/** Samples `first..end-1` of the batch: its micro-batch `index`, which is in 0..microBatchCount-1. */
export function microBatchAt(
  index: number,
  sampleCount: number,
  microBatchSize: number,
): { readonly first: number; readonly end: number } {
  const first = index * microBatchSize;
  return { first, end: Math.min(first + microBatchSize, sampleCount) };
}

/**
 * The micro-batch size of a spec that names none: the largest divisor of the global batch that is not above an eighth of
 * it, where the eighth is taken as at least 8 and at most 64. 256 -> 32, 512 -> 64, 60000 -> 60.
 *
 * It depends on the global batch alone, because it decides where sums are rounded. Eight micro-batches keep eight
 * workers busy; above 64 samples a kernel gains nothing. Of a batch with few divisors, 257 say, 1 is left: correct, but
 * several times slower than 256.
 */
export function defaultMicroBatchSize(globalBatchSize: number): number {
  let size = Math.min(Math.max(Math.floor(globalBatchSize / 8), 8), 64, globalBatchSize);
  while (globalBatchSize % size !== 0) size--;
  return size;
}
