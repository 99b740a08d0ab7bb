import type { MembershipOptions } from '../cluster/coordinator-state.js';
import { planRanges } from '../collective/plan-ranges.js';
import type { RunSpec } from '../core/run-spec.js';
import { microBatchCount } from '../data/batch-plan.js';
import type { CoordinatorOptions } from './coordinator-options.js';

type Limits = Pick<CoordinatorOptions, 'worldSize' | 'minWorkers' | 'maxWorkers'>;

/** What the rules of membership need to know of a run. */
export function membershipOptionsOf(spec: RunSpec, limits: Limits, term: number): MembershipOptions {
  const { worldSize, minWorkers, maxWorkers } = limits;
  return {
    term,
    worldSize,
    minWorkers: Math.min(minWorkers, worldSize),
    maxWorkers: Math.max(maxWorkers, worldSize),
    lastStep: spec.lastStep,
    batch: batchLimits(spec),
    planShares: sharePlanner(spec),
    sealsAtTerm: spec.topology === 'star',
  };
}

/** How the batch follows the cluster, if it does: never beyond the training set, which `--drop-last` would leave empty. */
function batchLimits({ batchPerWorker, batchHistory, dataset }: RunSpec) {
  if (batchPerWorker === undefined || batchHistory) return undefined;
  return { perWorker: batchPerWorker, max: Math.floor(dataset.trainLength / batchPerWorker) * batchPerWorker };
}

/** How the micro-batches of a full batch are shared out among workers of such speeds. */
function sharePlanner(spec: RunSpec) {
  const { microBatchSize, globalBatchSize } = spec;
  const batch = batchLimits(spec);
  return (secondsPerSample: readonly (number | undefined)[]): readonly number[] => {
    const largest = (spec.adaptiveBatch ?? spec.batchGrowth)?.max ?? globalBatchSize;
    const samples = batch ? Math.min(batch.perWorker * secondsPerSample.length, batch.max) : largest;
    return planRanges(secondsPerSample, microBatchCount(samples, microBatchSize));
  };
}
