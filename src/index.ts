/**
 * What a program may import from `lockstep`: training, what a run is defined with, the words of its results, and readers for
 * its files.
 */
export { train } from './program/train.js';
export type { ProgramRun, TrainingRun, TrainOptions, TrainResult } from './program/definition.js';
export {
  defineRun,
  type ModelContext,
  type RunData,
  type RunDefinition,
  type SampleFunction,
} from './own/definition.js';
export type { Dataset, ReadMoment, SampleFormat, SampleType, SampleValues, Samples } from './data/dataset.js';
export * as data from './data/library.js';
export { LockstepError, type ExitCode } from './core/errors.js';
export type { EvaluationRecord, PhaseSeconds, RunEvent, RunReport, StepRecord } from './core/events.js';
export { weightsDigest } from './core/digest.js';
export { layoutOf, type ParameterLayout, type TensorSlot } from './core/layout.js';
export type { RunSpec } from './core/run-spec.js';
export { createOptimizer, optimizerNames, optimizerOptions, type OptimizerName } from './optim/registry.js';
export type { Optimizer, OptimizerState, StepFactors } from './optim/optimizer.js';
export { readSafetensors, weightsFrom, type Tensor, type TensorFile } from './store/safetensors.js';
