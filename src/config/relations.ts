/** What must hold between options. Checked once, when everything is known and before anything is started. */

import { isWildcardHost } from '../core/address.js';
import { fault } from './faults.js';
import type { FieldName } from './schema.js';

/** The values that relations look at; each is there only for the commands that have it. */
export interface RelatedValues {
  readonly globalBatchSize?: number | 'full' | undefined;
  readonly batchPerWorker?: number | undefined;
  readonly microBatchSize?: number | undefined;
  readonly optimizer?: string | undefined;
  readonly listen?: string | undefined;
  readonly advertise?: string | undefined;
  readonly restore?: boolean | undefined;
  readonly out?: string | undefined;
}

/**
 * @param command - the command that is being configured
 * @param quote - how a value was given, for the message
 */
export function checkRelations(command: string, values: RelatedValues, quote: (name: FieldName) => string): void {
  const batchName = values.batchPerWorker === undefined ? 'globalBatchSize' : 'batchPerWorker';
  const batch = values[batchName];

  if (typeof batch === 'number' && values.microBatchSize !== undefined && batch % values.microBatchSize !== 0) {
    const divisor = largestDivisor(batch, values.microBatchSize);
    throw fault('BATCH_NOT_MULTIPLE', { batch: quote(batchName), microBatch: quote('microBatchSize'), divisor });
  }

  if (values.optimizer === 'rprop' && batch !== 'full')
    throw fault('RPROP_NEEDS_FULL_BATCH', { optimizer: quote('optimizer'), batch: quote(batchName) });

  if (values.restore === true && values.out === undefined)
    throw fault('RESTORE_WITHOUT_OUT', { restore: quote('restore') });

  if (
    command === 'worker' &&
    values.listen !== undefined &&
    isWildcardHost(values.listen) &&
    values.advertise === undefined
  )
    throw fault('ADVERTISE_MISSING', { listen: quote('listen') });
}

/** The largest divisor of `whole` that is at most `limit`. */
function largestDivisor(whole: number, limit: number): number {
  let divisor = Math.min(whole, limit);
  while (whole % divisor !== 0) divisor--;
  return divisor;
}
