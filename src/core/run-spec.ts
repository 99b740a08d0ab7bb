import type { BatchHistory } from './batch-history.js';
import type { AdaptiveBatch, BatchGrowth } from './batch-growth.js';

/** What determines a run's result. It travels to every worker; no address, no world size, no speed is in it. */
export interface RunSpec {
  readonly formatVersion: 1;
  readonly runId: string;
  readonly model: {
    readonly name: string;
    /** TensorFlow.js's JSON of the layers. */
    readonly topology: unknown;
    readonly inputScaling: { readonly scale: number; readonly mean: number; readonly deviation: number };
    /** What is minimised; default `softmaxCrossEntropy`. `own`: a function of the run's module. */
    readonly loss?: 'softmaxCrossEntropy' | 'sigmoidCrossEntropy' | 'meanSquaredError' | 'own';
  };
  readonly dataset: {
    readonly files: readonly DatasetFile[];
    /** Samples that are trained on. */
    readonly trainLength: number;
    /** Samples that are evaluated: of the test set, or those that `validationLength` holds out. */
    readonly testLength: number;
    /** Of the training set, the last so many are held out, and evaluated in place of the test set; absent without. */
    readonly validationLength?: number;
  };
  /** What every worker loads where samples or loss are a user's own code; `dataset` then has no files. */
  readonly module?: RunModuleSpec;
  /** Initial weights, a safetensors file; without it they follow from the seed. */
  readonly init?: Blob;
  /** A checkpoint, a safetensors file: the run goes on from the state in it. `init` is then absent. */
  readonly resume?: Blob;
  readonly seed: number;
  readonly shuffle: 'epoch' | 'none';
  /** Of the first step, and of every other unless one of the four below is there. */
  readonly globalBatchSize: number;
  /** The batch follows the cluster: so many samples for each worker of a generation. */
  readonly batchPerWorker?: number;
  /** The batch follows the history of an earlier run, whatever the cluster does. */
  readonly batchHistory?: BatchHistory;
  /** The batch follows the gradient noise scale. */
  readonly adaptiveBatch?: AdaptiveBatch;
  /** The batch grows with the samples that were seen. */
  readonly batchGrowth?: BatchGrowth;
  readonly microBatchSize: number;
  readonly dropLast: boolean;
  /** Who adds which part of the gradient: changes no result. */
  readonly topology: 'auto' | 'mesh' | 'direct' | 'star';
  /** Whether what workers send each other carries a checksum. */
  readonly checksum: boolean;
  /** Engines may differ in their bits; `auto` is the fastest one that knows the model. */
  readonly engine: 'auto' | 'native' | 'wasm' | 'cpu' | 'webgpu' | 'tensorflow';
  /** How gradients travel; absent where they travel as they are. With it the result depends on the number of workers. */
  readonly codec?: LossyCodec;
  /** Exchange once for so many batches; absent where each is exchanged. With it the result depends on the number of workers. */
  readonly localSteps?: LocalSteps;
  /** Steps of the whole run; with `lastEpoch` a limit that it does not reach. */
  readonly lastStep: number;
  /** Passes over the data after which a run ends whose batches vary, so that nobody knows its number of steps. */
  readonly lastEpoch?: number;
  readonly optimizer: { readonly name: string; readonly options: Readonly<Record<string, number | boolean>> };
  readonly learningRate: number;
  /** Where batches vary and the rate is to follow: what both were found for. The two above are those of the first batch. */
  readonly rescaling?: {
    readonly rule: 'linear' | 'sqrt';
    readonly baseBatchSize: number;
    readonly learningRate: number;
    readonly options: Readonly<Record<string, number | boolean>>;
    readonly learningRateMax?: number;
  };
  /** In the text form of `--lr-schedule`. */
  readonly learningRateSchedule: string;
  readonly warmupSteps: number;
  /** Bound of the mean gradient's global norm; absent without clipping. */
  readonly clipNorm?: number;
  readonly evaluateEvery: Interval;
  /** False where no answer is correct or wrong: the best weights are then those with the lowest loss. Absent: true. */
  readonly hasAccuracy?: false;
  /** What evaluations compute beside the loss, in this order; absent without any. */
  readonly metrics?: readonly MetricSpec[];
  /** Stop when an evaluation reaches it. */
  readonly targetAccuracy?: number;
  /** Between two checkpoints; absent without. Changes no result. */
  readonly checkpointEvery?: Interval;
  /** A folder that all machines share, where the worker that copied a checkpoint writes it; absent where the coordinator does. */
  readonly checkpointDir?: string;
  /** The run fails after so many skipped steps in a row. */
  readonly maxSkippedSteps: number;
  /** What the loss is multiplied with at first, a power of two; absent where it is not. */
  readonly lossScale?: number;
}

/** Code that every worker has, and that is compared by its content. */
export interface RunModuleSpec {
  /** Absolute, where the run was begun; workers may have it elsewhere. */
  readonly path: string;
  /** Of the module and what it imports from beside it. */
  readonly sha256: string;
  /** What a worker that does not have it may ask for, if it was told to: `--ship`. */
  readonly shipped?: Blob;
  /** Its samples, unless it takes files that Lockstep reads itself. */
  readonly sets?: OwnSetsSpec;
}

/** The mean of something over the samples of an evaluation. */
export interface MetricSpec {
  readonly name: string;
  /** `own`: a function of the run's module. */
  readonly of: 'own' | 'accuracy' | 'top5Accuracy' | 'meanAbsoluteError' | 'meanSquaredError';
}

/** The sets of samples that a run's module reads. */
export interface OwnSetsSpec {
  readonly train: OwnSetSpec;
  /** What evaluations take. */
  readonly test: OwnSetSpec;
  /** Labels are class numbers below it; absent where they are something else. */
  readonly classes?: number;
  /** How long one read may take. */
  readonly readTimeoutMs: number;
}

/** A set of samples that the module reads. */
export interface OwnSetSpec {
  /** Its name in the module. */
  readonly set: 'train' | 'validation' | 'test';
  readonly length: number;
  readonly x: OwnFormat;
  readonly y: OwnFormat;
  /** SHA-256 over a few samples. */
  readonly probe: string;
}

/** What each sample of a set is. */
export interface OwnFormat {
  /** Of one sample. */
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'uint8';
}

/** How gradients lose bits on their way, on purpose: `--codec`. */
export interface LossyCodec {
  readonly name: 'bf16' | 'int8' | 'topk';
  /** Of `topk`: the share of the values that is sent. */
  readonly ratio: number;
  /** Of `int8`. */
  readonly rounding: 'nearest' | 'stochastic';
}

/** A step of such a run is `every` batches, fewer at the end of an epoch. */
export interface LocalSteps {
  readonly every: number;
  readonly outerLearningRate: number;
  readonly outerMomentum: number;
}

/** Every so many steps, or passes over the data. */
export interface Interval {
  /** At least 1. */
  readonly every: number;
  readonly unit: 'step' | 'epoch';
}

/** Data that is named by its content. */
export interface Blob {
  /** Hexadecimal, of the uncompressed content. */
  readonly sha256: string;
  readonly bytes: number;
}

/** What a file in MNIST's format has in it. */
export type DatasetRole = 'train-images' | 'train-labels' | 'test-images' | 'test-labels';

export interface DatasetFile extends Blob {
  readonly role: DatasetRole;
}
