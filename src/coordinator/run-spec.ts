import { resolve } from 'node:path';
import type { CoordinatorConfig } from '../config/index.js';
import { batchSizeAt, type BatchHistory } from '../core/batch-history.js';
import type { DatasetFile, LocalSteps, RunSpec } from '../core/run-spec.js';
import { defaultMicroBatchSize, stepsPerEpoch } from '../data/batch-plan.js';
import type { ModelSpec } from '../engine/model-spec.js';
import { resolveScaling, scaleToBatch, warmupSteps } from '../optim/scaling.js';
import { parseBatchGrowth } from '../optim/schedule-text.js';
import { fault } from './faults.js';

/** What the coordinator found out about the things that a configuration names. */
export interface RunInputs {
  readonly runId: string;
  readonly model: ModelSpec;
  readonly files: readonly DatasetFile[];
  readonly trainLength: number;
  readonly testLength: number;
  /** Whether answers are correct or wrong. */
  readonly hasAccuracy: boolean;
  readonly metrics?: RunSpec['metrics'];
  /** Where samples or loss are a user's own code. */
  readonly module?: RunSpec['module'];
  /** Initial weights, if they were given. */
  readonly init: RunSpec['init'];
  /** The checkpoint from which the run goes on. */
  readonly resume: RunSpec['resume'];
  /** What the run was begun with, if it goes on: its first batch decides about warm-up and schedule. */
  readonly begunWith?: RunSpec | undefined;
  /** Sizes of the batches that are to be repeated. */
  readonly batchHistory?: BatchHistory | undefined;
}

/**
 * What determines the result, with every default resolved: from here on nobody reads the configuration for it.
 *
 * @throws LockstepError `VALIDATION_OF_MODULE`, `VALIDATION_TOO_LARGE`, `MICRO_BATCH_MISMATCH`, `BATCH_TOO_LARGE`, `SCALING_DOES_NOT_FIT`,
 *   `NO_ACCURACY`
 */
export function runSpecOf(config: CoordinatorConfig, inputs: RunInputs): RunSpec {
  const { runId, model, files, testLength, init, resume, batchHistory } = inputs;
  const { batchPerWorker, validationLength, targetAccuracy } = config;
  if (targetAccuracy !== undefined && !inputs.hasAccuracy)
    throw fault('NO_ACCURACY', { targetAccuracy, model: model.name, loss: model.loss ?? 'softmaxCrossEntropy' });
  const trainLength = trainLengthOf(config, inputs);
  const globalBatchSize = globalBatchSizeOf(config, inputs);
  const isAdaptive = config.globalBatchSize === 'auto';
  const microBatchSize =
    config.microBatchSize ??
    (isAdaptive ? adaptiveMicroBatchSize(globalBatchSize) : defaultMicroBatchSize(batchPerWorker ?? globalBatchSize));
  if (globalBatchSize % microBatchSize !== 0) throw fault('MICRO_BATCH_MISMATCH', { globalBatchSize, microBatchSize });
  if (globalBatchSize > trainLength) {
    const where = inputs.module?.sets ? `data.train in ${inputs.module.path}` : 'the training set';
    throw fault('BATCH_TOO_LARGE', { globalBatchSize, trainLength, where });
  }
  const epochs = config.epochs ?? 1;
  const sizes = batchHistory?.map((span) => span.globalBatchSize) ?? [batchPerWorker ?? globalBatchSize];
  const batchesMax = stepsPerEpoch(trainLength, Math.min(...sizes), config.dropLast);
  const stepsMax = epochs * Math.ceil(batchesMax / (config.syncEvery ?? 1));
  const batchMax = Math.min(config.batchMax, trainLength);
  const adaptiveBatch = isAdaptive ? { min: globalBatchSize, max: batchMax } : undefined;
  const batchGrowth = config.batchGrowth && batchGrowthOf(config.batchGrowth, trainLength, batchMax);
  const varies = batchPerWorker !== undefined || sizes.length > 1 || isAdaptive || batchGrowth !== undefined;
  const perEpoch = stepsPerEpoch(trainLength, globalBatchSize, config.dropLast);
  const { optimizer, optimizerOptions, learningRateScaling: scaling } = config;
  const k = globalBatchSize / config.baseBatchSize;
  const { learningRate, learningRateMax } = config;
  const given = { learningRate, options: optimizerOptions, learningRateMax };
  const scaled = scaleToBatch(given, scaling, optimizer, k);
  const localSteps = config.syncEvery === undefined ? undefined : localStepsOf(config, config.syncEvery);
  return {
    formatVersion: 1,
    runId,
    model,
    dataset: {
      files,
      trainLength,
      testLength: validationLength ?? testLength,
      ...(validationLength === undefined ? {} : { validationLength }),
    },
    ...(inputs.module ? { module: inputs.module } : {}),
    ...(init ? { init } : {}),
    ...(resume ? { resume } : {}),
    seed: config.seed,
    shuffle: config.shuffle,
    globalBatchSize,
    ...(batchPerWorker === undefined ? {} : { batchPerWorker }),
    ...(batchHistory === undefined ? {} : { batchHistory }),
    ...(adaptiveBatch && { adaptiveBatch }),
    ...(batchGrowth && { batchGrowth }),
    microBatchSize,
    dropLast: config.dropLast,
    engine: config.engine,
    lastStep: config.steps ?? stepsMax,
    ...(varies && config.steps === undefined ? { lastEpoch: epochs } : {}),
    topology: config.topology,
    checksum: config.checksum,
    ...(config.codec === 'f32'
      ? {}
      : { codec: { name: config.codec, ratio: config.topkRatio, rounding: config.codecRounding } }),
    ...(localSteps ? { localSteps } : {}),
    optimizer: { name: optimizer, options: scaled.options },
    learningRate: scaled.learningRate,
    ...rescalingOf(config, varies && !batchGrowth),
    learningRateSchedule: config.learningRateSchedule,
    warmupSteps: config.warmupSteps ?? warmupSteps(scaling, optimizer, k, perEpoch),
    ...(config.clipNorm === undefined ? {} : { clipNorm: config.clipNorm }),
    evaluateEvery: config.evaluateEvery,
    ...(inputs.hasAccuracy ? {} : { hasAccuracy: false as const }),
    ...(inputs.metrics ? { metrics: inputs.metrics } : {}),
    ...(targetAccuracy === undefined ? {} : { targetAccuracy }),
    ...(config.checkpointEvery === 'off' ? {} : { checkpointEvery: config.checkpointEvery }),
    ...(config.checkpointDir === undefined ? {} : { checkpointDir: resolve(config.checkpointDir) }),
    maxSkippedSteps: config.maxSkippedSteps,
    ...(config.lossScale === undefined ? {} : { lossScale: config.lossScale }),
  };
}

/** The rate follows the batch, but not where the batch grows in place of a rate that falls. */
function rescalingOf(config: CoordinatorConfig, follows: boolean): Pick<RunSpec, 'rescaling'> {
  const { learningRate, learningRateMax, optimizerOptions: options, optimizer, baseBatchSize } = config;
  const rule = resolveScaling(config.learningRateScaling, optimizer);
  if (!follows || rule === 'none') return {};
  const bound = learningRateMax === undefined ? {} : { learningRateMax };
  return { rescaling: { rule, baseBatchSize, learningRate, options, ...bound } };
}

/** @throws LockstepError `INVALID_SCHEDULE` */
function batchGrowthOf(text: string, trainLength: number, max: number): NonNullable<RunSpec['batchGrowth']> {
  const { every, factor } = parseBatchGrowth(text);
  return { everySamples: every.unit === 'epochs' ? every.count * trainLength : every.count, factor, max };
}

/** At least two, so that there is a noise scale to follow. */
function adaptiveMicroBatchSize(batchMin: number): number {
  let size = Math.max(1, Math.min(32, Math.floor(batchMin / 2)));
  while (batchMin % size !== 0) size--;
  return size;
}

function localStepsOf({ outerLearningRate, outerMomentum }: CoordinatorConfig, every: number): LocalSteps {
  return { every, outerLearningRate, outerMomentum };
}

/** What is left to train on. @throws LockstepError `VALIDATION_TOO_LARGE` */
function trainLengthOf({ validationLength = 0 }: CoordinatorConfig, { trainLength, module }: RunInputs): number {
  if (validationLength > 0 && module?.sets)
    throw fault('VALIDATION_OF_MODULE', { validationLength, path: module.path });
  if (validationLength >= trainLength) throw fault('VALIDATION_TOO_LARGE', { validationLength, trainLength });
  return trainLength - validationLength;
}

/** Of the first step. `full` is the whole training set. */
function globalBatchSizeOf(config: CoordinatorConfig, inputs: RunInputs): number {
  const { begunWith, batchHistory } = inputs;
  if (batchHistory) return batchSizeAt(batchHistory, 1);
  if (config.batchPerWorker !== undefined) return begunWith?.globalBatchSize ?? config.batchPerWorker * config.workers;
  if (config.globalBatchSize === 'auto') return config.batchMin;
  return config.globalBatchSize === 'full' ? trainLengthOf(config, inputs) : config.globalBatchSize!;
}
