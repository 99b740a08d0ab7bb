/** What must hold between options. Checked once, when everything is known and before anything is started. */

import { fault } from './faults.js';
import type { Command } from './field.js';
import type { FieldName } from './schema.js';

/** The values that relations look at; each is there only for the commands that have it. */
export interface RelatedValues {
  readonly workers?: number | 'auto' | undefined;
  readonly globalBatchSize?: number | 'full' | 'auto' | undefined;
  readonly batchMin?: number | undefined;
  readonly batchMax?: number | undefined;
  readonly batchGrowth?: string | undefined;
  readonly learningRateScaling?: string | undefined;
  readonly batchPerWorker?: number | undefined;
  readonly microBatchSize?: number | undefined;
  readonly optimizer?: string | undefined;
  readonly syncEvery?: number | undefined;
  readonly lossScale?: number | undefined;
  readonly restore?: boolean | undefined;
  readonly out?: string | undefined;
  readonly nats?: string | undefined;
  readonly run?: string | undefined;
  readonly standby?: boolean | undefined;
  readonly threads?: number | 'auto' | undefined;
  readonly engineThread?: string | undefined;
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

  const varying = variesBy(values);
  if (values.syncEvery !== undefined && varying !== undefined)
    throw fault('LOCAL_STEPS_NEED_FIXED_BATCH', { syncEvery: quote('syncEvery'), batch: quote(varying) });

  if (batch === 'auto' && values.batchMin! > values.batchMax!)
    throw fault('BATCH_BOUNDS', { least: quote('batchMin'), most: quote('batchMax') });
  if (batch === 'auto' && values.microBatchSize !== undefined && values.batchMin! % values.microBatchSize !== 0) {
    const divisor = largestDivisor(values.batchMin!, values.microBatchSize);
    throw fault('BATCH_NOT_MULTIPLE', { batch: quote('batchMin'), microBatch: quote('microBatchSize'), divisor });
  }
  if (values.batchGrowth !== undefined && typeof values.globalBatchSize !== 'number')
    throw fault('GROWTH_NEEDS_NUMBER', { growth: quote('batchGrowth'), batch: quote(batchName) });

  if (values.syncEvery !== undefined && values.lossScale !== undefined)
    throw fault('LOCAL_STEPS_UNSCALED', { syncEvery: quote('syncEvery'), lossScale: quote('lossScale') });

  if (values.restore === true && values.out === undefined)
    throw fault('RESTORE_WITHOUT_OUT', { restore: quote('restore') });

  if ((values.nats === undefined) !== (values.run === undefined)) {
    const [given, missing] = values.run === undefined ? (['nats', '--run'] as const) : (['run', '--nats'] as const);
    throw fault('NATS_INCOMPLETE', { given: quote(given), missing });
  }
  if (values.engineThread === 'main' && typeof values.threads === 'number' && values.threads > 1)
    throw fault('MAIN_THREAD_IS_ONE', { engineThread: quote('engineThread'), threads: quote('threads') });

  if (values.standby === true && values.nats === undefined)
    throw fault('NATS_INCOMPLETE', { given: quote('standby'), missing: '--nats and --run' });
}

/** The option by which batches change while a run goes on. */
function variesBy({ batchPerWorker, globalBatchSize, batchGrowth }: RelatedValues): FieldName | undefined {
  if (batchPerWorker !== undefined) return 'batchPerWorker';
  if (globalBatchSize === 'auto') return 'globalBatchSize';
  return batchGrowth === undefined ? undefined : 'batchGrowth';
}

/** The largest divisor of `whole` that is at most `limit`. */
function largestDivisor(whole: number, limit: number): number {
  let divisor = Math.min(whole, limit);
  while (whole % divisor !== 0) divisor--;
  return divisor;
}
