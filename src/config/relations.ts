/** What must hold between options. Checked once, when everything is known and before anything is started. */

import { fault } from './faults.js';
import type { Command } from './field.js';
import type { FieldName } from './schema.js';

/** The values that relations look at; each is there only for the commands that have it. */
export interface RelatedValues {
  readonly workers?: number | 'auto' | undefined;
  readonly globalBatchSize?: number | 'full' | undefined;
  readonly batchPerWorker?: number | undefined;
  readonly microBatchSize?: number | undefined;
  readonly optimizer?: string | undefined;
  readonly syncEvery?: number | undefined;
  readonly restore?: boolean | undefined;
  readonly out?: string | undefined;
  readonly nats?: string | undefined;
  readonly run?: string | undefined;
  readonly standby?: boolean | undefined;
}

/** @param quote - how a value was given, for the message */
export function checkRelations(command: Command, values: RelatedValues, quote: (name: FieldName) => string): void {
  if (command !== 'train' && values.workers === 'auto') throw fault('WORKERS_UNCOUNTED', { workers: quote('workers') });

  const batchName = values.batchPerWorker === undefined ? 'globalBatchSize' : 'batchPerWorker';
  const batch = values[batchName];

  if (typeof batch === 'number' && values.microBatchSize !== undefined && batch % values.microBatchSize !== 0) {
    const divisor = largestDivisor(batch, values.microBatchSize);
    throw fault('BATCH_NOT_MULTIPLE', { batch: quote(batchName), microBatch: quote('microBatchSize'), divisor });
  }

  if (values.optimizer === 'rprop' && batch !== 'full')
    throw fault('RPROP_NEEDS_FULL_BATCH', { optimizer: quote('optimizer'), batch: quote(batchName) });

  if (values.syncEvery !== undefined && values.batchPerWorker !== undefined)
    throw fault('LOCAL_STEPS_NEED_FIXED_BATCH', { syncEvery: quote('syncEvery'), batch: quote(batchName) });

  if (values.restore === true && values.out === undefined)
    throw fault('RESTORE_WITHOUT_OUT', { restore: quote('restore') });

  if ((values.nats === undefined) !== (values.run === undefined)) {
    const [given, missing] = values.run === undefined ? (['nats', '--run'] as const) : (['run', '--nats'] as const);
    throw fault('NATS_INCOMPLETE', { given: quote(given), missing });
  }
  if (values.standby === true && values.nats === undefined)
    throw fault('NATS_INCOMPLETE', { given: quote('standby'), missing: '--nats and --run' });
}

/** The largest divisor of `whole` that is at most `limit`. */
function largestDivisor(whole: number, limit: number): number {
  let divisor = Math.min(whole, limit);
  while (whole % divisor !== 0) divisor--;
  return divisor;
}
