/** Files that are read in place: only what is asked for, so that they may be larger than memory. */
import { open, type FileHandle } from 'node:fs/promises';

import {
  arrayOf,
  bytesOfFormat,
  sizeOfFormat,
  type Dataset,
  type SampleFormat,
  type SampleValues,
} from '../dataset.js';
import { fault } from '../faults.js';
import { unopened } from './paths.js';

/** Where samples lie in a file: `length` of them, one behind the other, little-endian. */
export interface FileRange {
  readonly path: string;
  /** Of the first sample, in bytes. */
  readonly offset: number;
  readonly format: SampleFormat;
  readonly length: number;
}

/** A data set has no end that anybody announces: its files are closed when nobody can read it any more. */
const abandoned = new FinalizationRegistry<ReadonlyMap<string, Promise<FileHandle>>>((files) => {
  for (const opening of files.values()) void opening.then((file) => file.close()).catch(() => undefined);
});

/** @throws LockstepError `READER_INPUT` if inputs and labels are not equally many */
export function rangesDataset(x: FileRange, y: FileRange): Dataset {
  if (x.length !== y.length)
    throw fault('READER_INPUT', { path: y.path, reason: `it has ${y.length} samples, ${x.path} has ${x.length}` });
  const files = new Map<string, Promise<FileHandle>>();
  const read = async ({ path, offset, format }: FileRange, indices: readonly number[]): Promise<SampleValues> => {
    if (!files.has(path)) files.set(path, open(path));
    const file = await files.get(path)!;
    const values = new arrayOf[format.dtype](indices.length * sizeOfFormat(format));
    const bytes = new Uint8Array(values.buffer);
    const size = bytesOfFormat(format);
    await Promise.all(
      indices.map(async (index, i) => {
        const { bytesRead } = await file.read(bytes, i * size, size, offset + index * size);
        if (bytesRead !== size) throw fault('READER_INPUT', { path, reason: `it ends before sample ${index}` });
      }),
    );
    return values;
  };
  const dataset: Dataset = {
    length: x.length,
    x: x.format,
    y: y.format,
    async read(indices) {
      const [inputs, labels] = await Promise.all([read(x, indices), read(y, indices)]);
      return { x: inputs, y: labels };
    },
  };
  abandoned.register(dataset, files);
  return dataset;
}

/** The first bytes of a file. */
export async function headOf(path: string, bytes: number): Promise<Buffer> {
  const file = await open(path).catch((error: unknown) => {
    throw unopened(path, error);
  });
  try {
    const head = Buffer.alloc(bytes);
    const { bytesRead } = await file.read(head, 0, bytes, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
