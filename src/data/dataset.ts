/** Samples by index: what makes a run reproducible is random access, whoever asks, in whatever order. */

import { sizeOf } from '../core/shape.js';

/** How one value is stored. Bytes are scaled as the run says (default to 0..1); all else is taken as it is. */
export type SampleType = 'float32' | 'int32' | 'uint8';

/** What one sample looks like: `{ shape: [28, 28, 1], dtype: 'uint8' }`; a single number has the shape []. */
export interface SampleFormat {
  readonly shape: readonly number[];
  readonly dtype: SampleType;
}

/** Values of samples, as their dtype has them. */
export type SampleValues = Float32Array | Int32Array | Uint8Array | Uint8ClampedArray;

/** Several samples, one behind the other: `indices.length * product of shape` values each. */
export interface Samples {
  readonly x: SampleValues;
  readonly y: SampleValues;
}

/** When samples are read: what chance may depend on. */
export interface ReadMoment {
  /** The run's seed. */
  readonly seed: number;
  /** 0-based pass over the data. */
  readonly epoch: number;
}

/** A set of samples with labels. */
export interface Dataset {
  /** Samples in it. */
  readonly length: number;
  /** Of what the model takes, for one sample. */
  readonly x: SampleFormat;
  /** Of the label: a class number is `{ shape: [], dtype: 'int32' }`. */
  readonly y: SampleFormat;
  /**
   * The same indices must always give the same samples, on every machine: chance is keyed by the moment and the index,
   * as `augment` does it. Several calls may be under way at a time.
   *
   * @param indices - of a micro-batch, in 0..length-1
   * @param moment - default seed 0, epoch 0
   */
  read(indices: readonly number[], moment?: ReadMoment): Samples | Promise<Samples>;
}

/** Elements of one sample. */
export function sizeOfFormat({ shape }: SampleFormat): number {
  return sizeOf(shape);
}

export function bytesOfFormat(format: SampleFormat): number {
  return sizeOfFormat(format) * (format.dtype === 'uint8' ? 1 : 4);
}

/** The kind of array that holds values of this type. */
export const arrayOf = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array } as const;
