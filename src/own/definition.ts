/** What a user writes: a model, data, and what is minimised. */
import type * as core from '@tensorflow/tfjs-core';
import type * as layers from '@tensorflow/tfjs-layers';

import type { MetricSpec } from '../core/run-spec.js';
import type { Dataset } from '../data/dataset.js';

/** TensorFlow.js as models and losses are handed it: operations, layers, initialisers. */
export type TensorFlow = typeof core & typeof layers;

/** What a model is built with. */
export interface ModelContext {
  readonly tf: TensorFlow;
  /** The run's seed. Weights need none: what differs from call to call is drawn anew from the run's seed. */
  readonly seed: number;
  /**
   * A model with its weights from a file in TensorFlow.js's layers format.
   *
   * @param path - of model.json, relative to the run's module
   * @throws LockstepError `MODEL_FILE_UNREADABLE`, `NOT_A_LAYERS_MODEL`
   */
  readonly loadModel: (path: string) => Promise<layers.LayersModel>;
}

/**
 * One value for each sample: (m).
 *
 * @param labels - (m, ...y.shape), with the data set's dtype
 * @param outputs - (m, ...), of the model
 */
export type SampleFunction = (tf: TensorFlow, labels: core.Tensor, outputs: core.Tensor) => core.Tensor;

/**
 * Metrics that need no function. `accuracy`, `top5Accuracy`: the share of samples whose class has the largest output, or one of
 * the five largest. `meanAbsoluteError`, `meanSquaredError`: over outputs and samples.
 */
export type MetricName = Exclude<MetricSpec['of'], 'own'>;

/** The sets of samples that a run may have. */
export type SetName = keyof RunData;

/** The data of a run. */
export interface RunData {
  readonly train: Dataset;
  /** What evaluations take: this, else `test`, else `train`. */
  readonly validation?: Dataset;
  readonly test?: Dataset;
}

/** What a run trains, and on what: the argument of `defineRun`. */
export interface RunDefinition {
  /**
   * A function that returns a `tf.LayersModel` whose output is what the loss takes; or the path of a model.json, relative
   * to the module; or the name of a built-in model. The function is called twice: weights that are the same both times are
   * kept, others are drawn anew from the run's seed by the rule that their layer names.
   */
  readonly model: string | ((context: ModelContext) => layers.LayersModel | Promise<layers.LayersModel>);
  /** Data sets, or a function that opens them, or what `--dataset` takes: `mnist`, or a folder beside the module. */
  readonly data: string | RunData | (() => RunData | Promise<RunData>);
  /**
   * `softmaxCrossEntropy` (the default), `sigmoidCrossEntropy` or `meanSquaredError`; or a function. A function makes the
   * model run op by op, which is slower.
   */
  readonly loss?: 'softmaxCrossEntropy' | 'sigmoidCrossEntropy' | 'meanSquaredError' | SampleFunction;
  /**
   * What evaluations compute beside the loss, by name: functions like a loss, whose mean over all samples is reported, or
   * built-in ones; a list of names is short for those. They change nothing that is trained.
   */
  readonly metrics?: readonly MetricName[] | Readonly<Record<string, MetricName | SampleFunction>>;
  /** How inputs of dtype uint8 become numbers: `(value * scale - mean) / deviation`. Default: scale 1/255, mean 0, deviation 1. */
  readonly inputScaling?: { readonly scale?: number; readonly mean?: number; readonly deviation?: number };
  /** Seconds after which a `read` that has not returned fails the run. Default 15. */
  readonly readTimeoutSeconds?: number;
}

/** @returns how long one read may take */
export function readTimeoutMsOf({ readTimeoutSeconds = 15 }: RunDefinition): number {
  return readTimeoutSeconds * 1000;
}

/**
 * Says what a run trains, for `lockstep train ./my-run.mjs`: a module's default export. Returns what it is given, so that
 * editors know its type.
 */
export function defineRun(run: RunDefinition): RunDefinition {
  return run;
}
