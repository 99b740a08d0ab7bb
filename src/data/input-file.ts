import { readFile } from 'node:fs/promises';
import type { InputScaling } from './encoded-images.js';
import { fault } from './faults.js';
import { parseIdx, readIdxContent } from './idx.js';
import { decodeNpy, type NpyArray } from './npy.js';
import { sizeOf } from '../core/shape.js';

/** Samples without labels, as a model takes them. */
export interface Inputs {
  readonly count: number;
  /** float32[count * sampleSize] */
  readonly x: Float32Array;
}

/**
 * @param path - images in IDX, plain or .gz, or an array of NumPy's, .npy; of one sample or of several
 * @param sampleShape - what the model takes
 * @param scaling - applied to bytes; other numbers are taken as they are
 * @throws LockstepError `INPUT_UNREADABLE`, `INPUT_DOES_NOT_FIT`, and as `readIdxContent` and `parseIdx` do
 */
export async function readInputs(path: string, sampleShape: readonly number[], scaling: InputScaling): Promise<Inputs> {
  const { shape, values, isBytes } = path.endsWith('.npy') ? decodeNpy(await read(path), path) : await readIdx(path);
  const sampleSize = sizeOf(sampleShape);
  const withoutOnes = (dimensions: readonly number[]): string => dimensions.filter((d) => d !== 1).join();
  const isOne = withoutOnes(shape) === withoutOnes(sampleShape);
  if (!isOne && withoutOnes(shape.slice(1)) !== withoutOnes(sampleShape))
    throw fault('INPUT_DOES_NOT_FIT', { path, shape, expected: sampleShape });
  const { scale, mean, deviation } = scaling;
  const x = isBytes ? values.map((value) => (value * scale - mean) / deviation) : values;
  return { count: x.length / sampleSize, x };
}

async function readIdx(path: string): Promise<NpyArray> {
  const { shape, values } = parseIdx(await readIdxContent(path), [2, 3, 4], path);
  return { shape, values: Float32Array.from(values), isBytes: true, type: '|u1' };
}

async function read(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw fault('INPUT_UNREADABLE', { path, reason: code === 'ENOENT' ? 'no such file' : message }, error);
  });
}
