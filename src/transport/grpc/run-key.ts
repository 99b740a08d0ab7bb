import { createHash } from 'node:crypto';

/** Eight bytes that name a run in every frame: a stray frame of another run is not a part of any sum. */
export function runKeyOf(runId: string): Buffer {
  return createHash('sha256').update(runId).digest().subarray(0, 8);
}
