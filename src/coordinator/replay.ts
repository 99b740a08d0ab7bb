import { join } from 'node:path';
import { withBatchFrom, type BatchHistory } from '../core/batch-history.js';
import type { StepRecord } from '../core/events.js';
import { readLines } from '../store/line-file.js';
import { fault } from './faults.js';

/**
 * The batch sizes of an earlier run, step by step as its metrics.jsonl has them. That run may still be going on, or have
 * been killed; where its records end the last size stays.
 *
 * @param folder - of that run
 * @throws LockstepError `REPLAY_INCOMPLETE`
 */
export async function readBatchHistory(folder: string): Promise<BatchHistory> {
  const path = join(folder, 'metrics.jsonl');
  let history: BatchHistory = [];
  let steps = 0;
  for await (const record of readLines(path)) {
    const { step, globalBatchSize } = record as Partial<StepRecord>;
    if (step === undefined || globalBatchSize === undefined) continue; // an evaluation
    if (step !== steps + 1) throw fault('REPLAY_INCOMPLETE', { path, reason: `step ${steps + 1} is not in it` });
    steps = step;
    history = withBatchFrom(history, step, globalBatchSize);
  }
  if (steps === 0) throw fault('REPLAY_INCOMPLETE', { path, reason: 'no step is in it' });
  return history;
}
