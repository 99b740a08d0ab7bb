/**
 * What a program may import from `lockstep`: training, what a run is defined with, the words of its results, and readers for
 * its files.
 *
 * @module
 */

export { train } from './program/train.js';
export type { ProgramRun, TrainingRun, TrainOptions, TrainResult } from './program/definition.js';
export {
  defineRun,
  type MetricName,
  type ModelContext,
  type RunData,
  type RunDefinition,
  type SampleFunction,
  type TensorFlow,
} from './own/definition.js';
export type { Dataset, ReadMoment, SampleFormat, SampleType, SampleValues, Samples } from './data/dataset.js';
/** Readers, which make data sets of files and arrays, and functions that make data sets of others. */
export * as data from './data/library.js';
export { LockstepError, type ExitCode } from './core/errors.js';
export type { EvaluationRecord, PhaseSeconds, RunEvent, RunReport, StepRecord } from './core/events.js';
export { weightsDigest } from './core/digest.js';
export {
  layoutOf,
  type ParameterLayout,
  type Penalty,
  type RunningAverage,
  type TensorSlot,
  type TensorSpec,
} from './core/layout.js';
export type { AdaptiveBatch, BatchGrowth } from './core/batch-growth.js';
export type { BatchHistory, BatchSpan } from './core/batch-history.js';
export type { RandomStream } from './core/random.js';
export type * from './core/run-spec.js';
export { createOptimizer, optimizerNames, optimizerOptions, type OptimizerName } from './optim/registry.js';
export type { OptimizerOption, OptionTable } from './optim/option.js';
export type { LoopCall, Optimizer, OptimizerScalars, OptimizerState, StepFactors } from './optim/optimizer.js';
export { readSafetensors, weightsFrom, type Tensor, type TensorFile } from './store/safetensors.js';
