/** What a program gives `train()`, and what it gets. */
import type { LayersModel } from '@tensorflow/tfjs-layers';

import type { TrainConfig } from '../config/index.js';
import type { RunEvent, RunReport } from '../core/events.js';
import type { Dataset } from '../data/dataset.js';
import type { MetricName, RunDefinition } from '../own/definition.js';
import type { Tensor } from '../store/safetensors.js';

/** A run that is put together in a program. What needs code in the workers belongs into a module: give its URL. */
export interface ProgramRun {
  /**
   * A layers model, of whatever copy of TensorFlow.js, which begins with the weights that it has and stays as it is; or, as
   * in `defineRun`, a function that builds one, the path of a model.json, or a built-in name. Paths are relative to the
   * working directory.
   */
  readonly model: LayersModel | RunDefinition['model'];
  /** Arrays: `data.arrays({ x, y })`, or what `data.csv` and other readers that hold all in memory return. Or `mnist`, or a folder. */
  readonly data: string | { readonly train: Dataset; readonly validation?: Dataset; readonly test?: Dataset };
  readonly loss?: Extract<RunDefinition['loss'], string>;
  /** By name. */
  readonly metrics?: readonly MetricName[] | Readonly<Record<string, MetricName>>;
  readonly inputScaling?: RunDefinition['inputScaling'];
}

type Options = Omit<TrainConfig, 'module' | 'model' | 'dataset' | 'loss' | 'json' | 'restore' | 'logLevel'>;
type Given<T> = T extends number | boolean | undefined ? T : T | string;

/**
 * The options of `lockstep train` under the names that docs/configuration.md gives for YAML, with the same defaults, but that
 * ports are any free ones. Texts are those of the command line: `evaluateEvery: '2epochs'`. The environment is not looked at.
 */
export type TrainOptions = { readonly [Name in keyof Options]?: Given<Options[Name]> } & {
  /** Ends the run after the step in hand, saved, with the outcome `interrupted`. */
  readonly signal?: AbortSignal;
};

/** What a run of `train()` leaves. */
export interface TrainResult {
  /** As in report.json. */
  readonly report: RunReport;
  /** As in final.safetensors: by name, the trained ones and the running averages. */
  readonly weights: readonly Tensor[];
}

/**
 * A run that goes on. Iterating gives what happens from the moment at which one begins to, each step among it, as `--json`
 * words it; whoever does not keep up gets the newest 10000. It ends with the run, or throws what `result` rejects with.
 */
export interface TrainingRun extends AsyncIterable<RunEvent> {
  /** @throws LockstepError for what `lockstep train` would print; a signal's reason if it came before the run was prepared */
  readonly result: Promise<TrainResult>;
}
