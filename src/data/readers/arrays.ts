import {
  arrayOf,
  sizeOfFormat,
  type Dataset,
  type SampleFormat,
  type SampleType,
  type SampleValues,
} from '../dataset.js';
import { fault } from '../faults.js';

/** Values of all samples, one behind the other, and the shape of one. */
export interface ArrayPart {
  readonly values: SampleValues;
  /** Default [], a single number. */
  readonly shape?: readonly number[];
}

/** What data sets of arrays are made of: with it they can be written down for another process. */
const partsOf = new WeakMap<Dataset, Arrays>();

/** Inputs and labels of all samples. */
export interface Arrays {
  readonly x: ArrayPart;
  readonly y: ArrayPart;
}

/** @returns undefined for a data set that is no arrays */
export function arraysIn(dataset: Dataset): Arrays | undefined {
  return partsOf.get(dataset);
}

/**
 * Arrays in memory as a data set.
 *
 * @param parts - `x`: inputs; `y`: labels
 * @throws LockstepError `READER_INPUT` if they are not for the same number of samples
 */
export function arrays({ x, y }: Arrays, name = 'arrays'): Dataset {
  const formats = { x: formatOf(x), y: formatOf(y) };
  const [length, labels] = [x.values.length / sizeOfFormat(formats.x), y.values.length / sizeOfFormat(formats.y)];
  if (length !== labels || !Number.isInteger(length) || length === 0) {
    const reason = `x has ${x.values.length} values for samples of [${formats.x.shape.join(', ')}], y ${y.values.length} for [${formats.y.shape.join(', ')}]`;
    throw fault('READER_INPUT', { path: name, reason });
  }
  const dataset: Dataset = {
    length,
    ...formats,
    read: (indices) => ({ x: picked(x.values, formats.x, indices), y: picked(y.values, formats.y, indices) }),
  };
  partsOf.set(dataset, { x, y });
  return dataset;
}

/** The samples with these indices, one behind the other. */
export function picked(values: SampleValues, format: SampleFormat, indices: readonly number[]): SampleValues {
  const size = sizeOfFormat(format);
  const result = new arrayOf[format.dtype](indices.length * size);
  indices.forEach((index, i) => result.set(values.subarray(index * size, (index + 1) * size), i * size));
  return result;
}

/** Of one sample. */
export function formatOf({ values, shape = [] }: ArrayPart): SampleFormat {
  const dtype: SampleType =
    values instanceof Float32Array ? 'float32' : values instanceof Int32Array ? 'int32' : 'uint8';
  return { shape, dtype };
}
