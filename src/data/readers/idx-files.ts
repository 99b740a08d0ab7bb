import type { Dataset } from '../dataset.js';
import { fault } from '../faults.js';
import { pathOf, type FilePath } from './paths.js';
import { headOf, rangesDataset, type FileRange } from './ranges.js';

/**
 * IDX files of bytes, as MNIST has them, not compressed, read in place. Images of [height, width] become [height, width, 1].
 *
 * @throws LockstepError `READER_INPUT`
 */
export async function idx(files: { readonly x: FilePath; readonly y: FilePath }): Promise<Dataset> {
  const [x, y] = await Promise.all([rangeOf(pathOf(files.x)), rangeOf(pathOf(files.y))]);
  const { shape } = x.format;
  return rangesDataset(shape.length === 2 ? { ...x, format: { ...x.format, shape: [...shape, 1] } } : x, y);
}

async function rangeOf(path: string): Promise<FileRange> {
  const head = await headOf(path, 4 + 4 * 255);
  const isBytes = head.length >= 8 && head[0] === 0 && head[1] === 0 && head[2] === 8;
  if (!isBytes) throw fault('READER_INPUT', { path, reason: 'it is no IDX file of bytes, or it is compressed' });
  const [length = 0, ...shape] = Array.from({ length: head[3]! }, (_, d) => head.readUInt32BE(4 + 4 * d));
  return { path, offset: 4 + 4 * head[3]!, format: { shape, dtype: 'uint8' }, length };
}
