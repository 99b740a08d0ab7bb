/**
 * The sizes that a run's batches have had. With `--batch-per-worker` they follow the cluster, so that the result is a
 * function of the specification and of this history; it is part of the training state and of checkpoints.
 */
export interface BatchSpan {
  /** 1-based: the first step of this size. */
  readonly fromStep: number;
  /** Samples of each step from then on, until the next span. */
  readonly globalBatchSize: number;
}

/** Ascending; the first span begins with step 1. The state after step k says it up to step k + 1 (protocol, rule 2). */
export type BatchHistory = readonly BatchSpan[];

/** The size of step `step`; beyond the history's end its last one. */
export function batchSizeAt(history: BatchHistory, step: number): number {
  return history.findLast(({ fromStep }) => fromStep <= step)!.globalBatchSize;
}

/** The history that goes on with this size from `step` on, which is not before its last span. */
export function withBatchFrom(history: BatchHistory, step: number, globalBatchSize: number): BatchHistory {
  return history.at(-1)?.globalBatchSize === globalBatchSize
    ? history
    : [...history, { fromStep: step, globalBatchSize }];
}
