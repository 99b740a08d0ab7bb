import type { CoordinatorConfig, Interval } from '../config/index.js';
import type { DatasetFile, RunSpec } from '../core/run-spec.js';
import { defaultMicroBatchSize, stepsPerEpoch } from '../data/batch-plan.js';
import type { ModelSpec } from '../engine/model-spec.js';
import { scaleToBatch, warmupSteps } from '../optim/scaling.js';
import { fault } from './faults.js';

/** What the coordinator found out about the things that a configuration names. */
export interface RunInputs {
  readonly runId: string;
  readonly model: ModelSpec;
  readonly files: readonly DatasetFile[];
  readonly trainLength: number;
  readonly testLength: number;
  /** Initial weights, if they were given. */
  readonly init: RunSpec['init'];
  /** The checkpoint from which the run goes on. */
  readonly resume: RunSpec['resume'];
}

/**
 * What determines the result, with every default resolved: from here on nobody reads the configuration for it.
 *
 * @throws LockstepError `MICRO_BATCH_MISMATCH`, `BATCH_TOO_LARGE`, `SCALING_DOES_NOT_FIT`
 */
export function runSpecOf(config: CoordinatorConfig, inputs: RunInputs): RunSpec {
  const { runId, model, files, trainLength, testLength, init, resume } = inputs;
  const globalBatchSize = globalBatchSizeOf(config, trainLength);
  const microBatchSize = config.microBatchSize ?? defaultMicroBatchSize(globalBatchSize);
  if (globalBatchSize % microBatchSize !== 0) throw fault('MICRO_BATCH_MISMATCH', { globalBatchSize, microBatchSize });
  if (globalBatchSize > trainLength) throw fault('BATCH_TOO_LARGE', { globalBatchSize, trainLength });
  const perEpoch = stepsPerEpoch(trainLength, globalBatchSize, config.dropLast);
  const { optimizer, optimizerOptions, learningRateScaling: scaling } = config;
  const k = globalBatchSize / config.baseBatchSize;
  const scaled = scaleToBatch({ learningRate: config.learningRate, options: optimizerOptions }, scaling, optimizer, k);
  const stepsOf = ({ every, unit }: Interval): number => (unit === 'step' ? every : every * perEpoch);
  return {
    formatVersion: 1,
    runId,
    model,
    dataset: { files, trainLength, testLength },
    ...(init ? { init } : {}),
    ...(resume ? { resume } : {}),
    seed: config.seed,
    shuffle: config.shuffle,
    globalBatchSize,
    microBatchSize,
    dropLast: config.dropLast,
    engine: config.engine,
    topology: config.topology,
    checksum: config.checksum,
    lastStep: config.steps ?? (config.epochs ?? 1) * perEpoch,
    optimizer: { name: optimizer, options: scaled.options },
    learningRate: scaled.learningRate,
    learningRateSchedule: config.learningRateSchedule,
    warmupSteps: config.warmupSteps ?? warmupSteps(scaling, optimizer, k, perEpoch),
    ...(config.clipNorm === undefined ? {} : { clipNorm: config.clipNorm }),
    evaluateEverySteps: stepsOf(config.evaluateEvery),
    ...(config.targetAccuracy === undefined ? {} : { targetAccuracy: config.targetAccuracy }),
    ...(config.checkpointEvery === 'off' ? {} : { checkpointEverySteps: stepsOf(config.checkpointEvery) }),
    maxSkippedSteps: config.maxSkippedSteps,
  };
}

/** `full` is the whole training set; `--batch-per-worker` is per worker of the run, whatever their number. */
function globalBatchSizeOf(config: CoordinatorConfig, trainLength: number): number {
  if (config.batchPerWorker !== undefined) return config.batchPerWorker * config.workers;
  return config.globalBatchSize === 'full' ? trainLength : config.globalBatchSize!;
}
