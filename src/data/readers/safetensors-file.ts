import type { Dataset, SampleType } from '../dataset.js';
import { fault } from '../faults.js';
import { pathOf, type FilePath } from './paths.js';
import { headOf, rangesDataset, type FileRange } from './ranges.js';

const types: Readonly<Record<string, SampleType>> = { F32: 'float32', I32: 'int32', U8: 'uint8' };

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/**
 * Two tensors of a safetensors file, the samples along the first dimension, read in place: F32, I32 or U8.
 *
 * @param names - of the tensors with inputs and labels
 * @throws LockstepError `READER_INPUT`
 */
export async function safetensors(file: FilePath, names: { readonly x: string; readonly y: string }): Promise<Dataset> {
  const path = pathOf(file);
  const size = await headOf(path, 8);
  const headerBytes = size.length === 8 ? Number(size.readBigUInt64LE()) : Infinity;
  if (headerBytes > 100e6) throw fault('READER_INPUT', { path, reason: 'it is no safetensors file' });
  let header: Readonly<Record<string, Entry | undefined>>;
  try {
    header = JSON.parse((await headOf(path, 8 + headerBytes)).toString('utf8', 8)) as typeof header;
  } catch (error) {
    throw fault('READER_INPUT', { path, reason: 'it is no safetensors file' }, error);
  }
  const range = (name: string): FileRange => {
    const entry = header[name];
    const there = Object.keys(header).filter((key) => key !== '__metadata__');
    if (!entry)
      throw fault('READER_INPUT', { path, reason: `it has no tensor ${name}; there are ${there.join(', ')}` });
    const dtype = types[entry.dtype];
    const [length = 0, ...shape] = entry.shape;
    if (dtype) return { path, offset: 8 + headerBytes + entry.data_offsets[0], format: { shape, dtype }, length };
    throw fault('READER_INPUT', { path, reason: `${name} is of type ${entry.dtype}, not F32, I32 or U8` });
  };
  return rangesDataset(range(names.x), range(names.y));
}
