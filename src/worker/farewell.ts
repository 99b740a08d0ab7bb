import type { FromWorker } from '../cluster/session.js';
import { lockstepErrorIn } from '../core/errors.js';

/** What a worker says to the coordinator when an error ends it. */
export function farewellOf(error: unknown): FromWorker {
  const known = lockstepErrorIn(error);
  return {
    kind: 'failed',
    code: known?.code ?? 'INTERNAL',
    message: known?.message ?? (error instanceof Error ? error.message : String(error)),
    remedy: known?.remedy ?? 'report this as a bug',
    exitCode: known?.exitCode ?? 1,
  };
}
