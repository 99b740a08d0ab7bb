import type { Dataset, SampleType } from '../dataset.js';
import { fault } from '../faults.js';
import { readNpyHeader } from '../npy.js';
import { pathOf, type FilePath } from './paths.js';
import { headOf, rangesDataset, type FileRange } from './ranges.js';

const types: Readonly<Record<string, SampleType>> = { '<f4': 'float32', '<i4': 'int32', '|u1': 'uint8' };
/** Longer than any header that numpy writes for an array without fields. */
const headBytes = 4096;

/**
 * Arrays as `numpy.save` writes them, the samples along the first dimension, read in place: float32, int32 or uint8.
 *
 * @throws LockstepError `READER_INPUT`
 */
export async function npy(files: { readonly x: FilePath; readonly y: FilePath }): Promise<Dataset> {
  const [x, y] = await Promise.all([rangeOf(pathOf(files.x)), rangeOf(pathOf(files.y))]);
  return rangesDataset(x, y);
}

async function rangeOf(path: string): Promise<FileRange> {
  const header = readNpyHeader(await headOf(path, headBytes), path);
  const dtype = types[header.type];
  const [length = 0, ...shape] = header.shape;
  if (dtype) return { path, offset: header.end, format: { shape, dtype }, length };
  const reason = `its type is ${header.type}, not one of ${Object.keys(types).join(', ')}: save array.astype('float32')`;
  throw fault('READER_INPUT', { path, reason });
}
