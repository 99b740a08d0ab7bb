import type { Arena } from '../core/arena.js';
import type { ParameterLayout } from '../core/layout.js';
import type { ResidentDataset } from '../data/resident-dataset.js';
import type { SumOfSquares } from '../optim/norm.js';
import type { ModelSpec } from './model-spec.js';
import type { OwnLossOptions } from './own-loss-options.js';

export type EngineName = 'native' | 'wasm' | 'cpu' | 'webgpu' | 'tensorflow';

/** Which samples of the run a micro-batch holds: random masks are drawn by it. */
export interface SamplePlace {
  readonly epoch: number;
  /** Of the first sample, in the epoch's order. */
  readonly position: number;
}

/**
 * Forward and backward of one micro-batch. An engine belongs to one thread and one run.
 *
 * Shapes: `m` samples in the micro-batch at hand, `microBatchSize` at most; `sampleSize` elements a sample.
 */
export interface Engine {
  readonly name: EngineName;
  /** Whether the same inputs give the same bits, always and everywhere. */
  readonly deterministic: boolean;
  readonly layout: ParameterLayout;
  /** float32[microBatchSize * sampleSize]: the caller writes the samples here before `gradientSum` or `evaluate`. */
  readonly x: Float32Array;
  /** int32[microBatchSize]: the caller writes the classes here, where the loss takes classes. */
  readonly y: Int32Array;
  /**
   * float32[microBatchSize * outputs]: or what the outputs are compared with, where it takes that; else empty. For a loss of
   * the user's own so many values a sample as a label has.
   */
  readonly targets: Float32Array;

  /**
   * Makes these the weights of the calls that follow, until the next `setWeights`. They must not change meanwhile.
   *
   * @param weights - float32[weightCount] in the arena, read only
   */
  setWeights(weights: Float32Array): void | Promise<void>;

  /**
   * The gradient of the sum of the losses of samples 0..m-1, and behind it the extras.
   *
   * @param sum - float32[parameterCount + extraCount] in the arena; overwritten
   * @param place - default the first sample of epoch 0
   */
  gradientSum(m: number, sum: Float32Array, place?: SamplePlace): void | Promise<void>;

  /**
   * Of an engine that was made to scale the loss: what the gradients of the calls that follow are multiplied with, a power of
   * two; loss, counts and statistics are not. Absent where it cannot.
   */
  setLossScale?(scale: number): void;

  /** Forward only. @param extras - float32[evaluationCount]; overwritten: loss sum, count of correct answers */
  evaluate(m: number, extras: Float32Array): void | Promise<void>;

  /** `target[i] += source[i]`, each sum rounded to float32. Both in the arena, equally long. */
  add(target: Float32Array, source: Float32Array): void;

  /** As `sumOfSquares` in optim/norm.ts, of a vector in the arena; that one serves where there is none. */
  readonly sumOfSquares?: SumOfSquares;

  /** Of an engine on a device of its own that keeps `train` there: whole ranges, in one go. */
  readonly ranges?: RangeEngine | undefined;

  /** Live tensors of the backend, for leak tests; 0 where an engine has no tensor objects. */
  tensorCount(): number;

  /** Gives up a device, if the engine has one; a job in hand then fails, soon. */
  close?(): void;
}

/** Several micro-batches in a row, all full but perhaps the last of all. */
export interface RangeWork {
  /** Indices of their samples in the training data, one micro-batch behind the other. */
  readonly samples: Uint32Array<ArrayBuffer>;
  /** Of the first of them. */
  readonly place: SamplePlace;
  /** Nodes of the canonical tree that together are the range, in ascending order. */
  readonly nodes: readonly RangeNode[];
}

/** Micro-batches `first..end-1`. */
export interface RangeNode {
  readonly first: number;
  readonly end: number;
  /** float32[parameterCount + extraCount]: overwritten with the sum. */
  readonly values: Float32Array;
}

export interface RangeEngine {
  /** Fills the nodes' values: what `gradientSum` gives for each micro-batch, added in the canonical tree. */
  sums(work: RangeWork): Promise<void>;
}

/** What an engine is made from. */
export interface EngineOptions {
  readonly model: ModelSpec;
  /** Samples of the largest micro-batch, at least 1. */
  readonly microBatchSize: number;
  readonly arena: Arena;
  /** Of the run: random masks depend on it. Default 0. */
  readonly seed?: number;
  /** Whether `setLossScale` will be called. Default false. */
  readonly scalesLoss?: boolean;
  /** Which GPU, as `--gpu` has it: `auto`, an index or a part of a name. Default `auto`. */
  readonly gpu?: string;
  /** Of a model whose loss is `own`. */
  readonly ownLoss?: OwnLossOptions | undefined;
  /** What it is going to be trained on, for engines that keep it on their device. */
  readonly train?: ResidentDataset;
}
