import type { Arena } from '../core/arena.js';
import type { ParameterLayout } from '../core/layout.js';
import type { ModelSpec } from './model-spec.js';

export type EngineName = 'native' | 'wasm' | 'cpu';

/** Elements behind the gradient that go through the same tree: loss sum, then count of correct answers. */
export const extraCount = 2;

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
  /** int32[microBatchSize]: the caller writes the labels here. */
  readonly y: Int32Array;

  /**
   * The gradient of the sum of the losses of samples 0..m-1, and behind it the extras.
   *
   * @param weights - float32[parameterCount] in the arena, read only
   * @param sum - float32[parameterCount + extraCount] in the arena; overwritten
   */
  gradientSum(m: number, weights: Float32Array, sum: Float32Array): void | Promise<void>;

  /** Forward only. @param extras - float32[extraCount]; overwritten: loss sum, count of correct answers */
  evaluate(m: number, weights: Float32Array, extras: Float32Array): void | Promise<void>;

  /** `target[i] += source[i]`, each sum rounded to float32. Both in the arena, equally long. */
  add(target: Float32Array, source: Float32Array): void;

  /** Live tensors of the backend, for leak tests; 0 where an engine has no tensor objects. */
  tensorCount(): number;
}

/** What an engine is made from. */
export interface EngineOptions {
  readonly model: ModelSpec;
  /** Samples of the largest micro-batch, at least 1. */
  readonly microBatchSize: number;
  readonly arena: Arena;
}
