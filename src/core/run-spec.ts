/** What determines a run's result. It travels to every worker; no address, no world size, no speed is in it. */
export interface RunSpec {
  readonly formatVersion: 1;
  readonly runId: string;
  readonly model: {
    readonly name: string;
    /** TensorFlow.js's JSON of the layers. */
    readonly topology: unknown;
    readonly inputScaling: { readonly scale: number; readonly mean: number; readonly deviation: number };
  };
  readonly dataset: {
    readonly files: readonly DatasetFile[];
    readonly trainLength: number;
    readonly testLength: number;
  };
  /** Initial weights, a safetensors file; without it they follow from the seed. */
  readonly init?: Blob;
  /** A checkpoint, a safetensors file: the run goes on from the state in it. `init` is then absent. */
  readonly resume?: Blob;
  readonly seed: number;
  readonly shuffle: 'epoch' | 'none';
  readonly globalBatchSize: number;
  readonly microBatchSize: number;
  readonly dropLast: boolean;
  /** Who adds which part of the gradient: changes no result. */
  readonly topology: 'auto' | 'mesh' | 'direct';
  /** Whether what workers send each other carries a checksum. */
  readonly checksum: boolean;
  /** Engines may differ in their bits; `auto` is the fastest one that knows the model. */
  readonly engine: 'auto' | 'native' | 'wasm' | 'cpu';
  /** Steps of the whole run. */
  readonly lastStep: number;
  readonly optimizer: { readonly name: string; readonly options: Readonly<Record<string, number | boolean>> };
  readonly learningRate: number;
  /** In the text form of `--lr-schedule`. */
  readonly learningRateSchedule: string;
  readonly warmupSteps: number;
  /** Bound of the mean gradient's global norm; absent without clipping. */
  readonly clipNorm?: number;
  readonly evaluateEverySteps: number;
  /** Stop when an evaluation reaches it. */
  readonly targetAccuracy?: number;
  /** Steps between two checkpoints; absent without. Changes no result. */
  readonly checkpointEverySteps?: number;
  /** The run fails after so many skipped steps in a row. */
  readonly maxSkippedSteps: number;
}

/** Data that is named by its content. */
export interface Blob {
  /** Hexadecimal, of the uncompressed content. */
  readonly sha256: string;
  readonly bytes: number;
}

export type DatasetRole = 'train-images' | 'train-labels' | 'test-images' | 'test-labels';

export interface DatasetFile extends Blob {
  readonly role: DatasetRole;
}
