/** Reading a user's data set, with nothing taken on trust. */
import { lockstepErrorIn } from '../core/errors.js';
import { arrayOf, sizeOfFormat, type Dataset, type ReadMoment, type SampleFormat, type Samples } from './dataset.js';
import { fault } from './faults.js';

/** A data set under the name that faults give it. */
export interface NamedDataset {
  /** File of the run's module. */
  readonly path: string;
  readonly set: 'train' | 'validation' | 'test';
  readonly data: Dataset;
  /** Labels are class numbers below it; absent where they are something else. */
  readonly classes?: number;
}

/** @throws LockstepError `DATASET_MALFORMED` */
export function demandDataset(path: string, set: string, data: unknown): asserts data is Dataset {
  const no = (reason: string): Error => fault('DATASET_MALFORMED', { path, set, reason });
  if (typeof data !== 'object' || data === null) throw no(`it is ${data === null ? 'null' : typeof data}`);
  const { length, x, y, read } = data as Partial<Record<keyof Dataset, unknown>>;
  if (!Number.isSafeInteger(length) || Number(length) < 1) throw no(`its length is ${String(length)}`);
  if (typeof read !== 'function') throw no('it has no function read');
  for (const [what, format] of [
    ['x', x],
    ['y', y],
  ] as const) {
    const { shape, dtype } = (format ?? {}) as Partial<SampleFormat>;
    if (!Array.isArray(shape) || !shape.every((d) => Number.isSafeInteger(d) && d > 0))
      throw no(`${what}.shape is ${JSON.stringify(shape)}`);
    if (!(String(dtype) in arrayOf)) throw no(`${what}.dtype is ${String(dtype)}, not float32, int32 or uint8`);
  }
}

/**
 * @param indices - at least one
 * @throws LockstepError `SAMPLES_MALFORMED`, `SAMPLE_NOT_FINITE`, `SAMPLE_LABEL_OUT_OF_RANGE`, `DATASET_READ_FAILED`
 */
export async function readChecked(
  named: NamedDataset,
  indices: readonly number[],
  moment: ReadMoment,
): Promise<Samples> {
  const { path, set, data } = named;
  let samples: Samples;
  try {
    samples = await data.read(indices, moment);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0]! : String(error);
    if (lockstepErrorIn(error)) throw error; //                       a reader's own words are better
    throw fault('DATASET_READ_FAILED', { path, set, samples: samplesInWords(indices), reason }, error);
  }
  demandValues(named, 'x', samples?.x, indices);
  demandValues(named, 'y', samples?.y, indices);
  demandClasses(named, samples.y, indices);
  return samples;
}

/** `samples 4 to 9`, or the first of them where they do not follow each other. */
export function samplesInWords(indices: readonly number[]): string {
  const [first = 0] = indices;
  if (indices.length === 1) return `sample ${first}`;
  const isRow = indices.every((index, i) => index === first + i);
  return isRow ? `samples ${first} to ${indices.at(-1)!}` : `${indices.length} samples, the first of them ${first}`;
}

function demandValues(named: NamedDataset, what: 'x' | 'y', values: unknown, indices: readonly number[]): void {
  const { path, set, data } = named;
  const format = data[what];
  const size = sizeOfFormat(format);
  const count = indices.length * size;
  const isBytes = format.dtype === 'uint8' && values instanceof Uint8ClampedArray;
  if (!(values instanceof arrayOf[format.dtype] || isBytes) || values.length !== count) {
    const expected = `${arrayOf[format.dtype].name}(${count}), ${indices.length} samples of [${format.shape.join(', ')}]`;
    throw fault('SAMPLES_MALFORMED', { path, set, what, expected, actual: kindOf(values) });
  }
  if (!(values instanceof Float32Array)) return;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value))
      throw fault('SAMPLE_NOT_FINITE', { path, set, what, sample: indices[Math.floor(i / size)]!, value });
  }
}

function demandClasses({ path, set, classes }: NamedDataset, y: Samples['y'], indices: readonly number[]): void {
  if (classes === undefined) return;
  const at = y.findIndex((label) => !(label >= 0 && label < classes));
  if (at < 0) return;
  throw fault('SAMPLE_LABEL_OUT_OF_RANGE', { path, set, sample: indices[at]!, label: y[at]!, classes });
}

function kindOf(value: unknown): string {
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${(value as Uint8Array).length})`;
  if (Array.isArray(value)) return `an array of ${value.length}, which is not typed`;
  return value === null || value === undefined ? 'nothing' : `a value of type ${typeof value}`;
}
