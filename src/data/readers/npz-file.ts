import { readFile } from 'node:fs/promises';

import type { Dataset } from '../dataset.js';
import { fault } from '../faults.js';
import { decodeNpy } from '../npy.js';
import { arrays, type ArrayPart } from './arrays.js';
import { pathOf, unopened, type FilePath } from './paths.js';

/**
 * Two arrays of a file that `numpy.savez` or `numpy.savez_compressed` wrote, whole in memory.
 *
 * @param names - of the arrays with inputs and labels
 * @throws LockstepError `READER_INPUT`, `INPUT_UNREADABLE`
 */
export async function npz(file: FilePath, names: { readonly x: string; readonly y: string }): Promise<Dataset> {
  const path = pathOf(file);
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unopened(path, error);
  });
  const entries = await entriesOf(bytes, path);
  const part = async (name: string): Promise<ArrayPart> => {
    const content = entries.get(`${name}.npy`);
    const there = [...entries.keys()].map((key) => key.replace(/\.npy$/, '')).join(', ');
    if (!content) throw fault('READER_INPUT', { path, reason: `it has no array ${name}; there are ${there}` });
    const { shape, values, type } = decodeNpy(await content(), `${path} (${name})`);
    const kind = type === '|u1' ? Uint8Array : /^.i/.test(type) ? Int32Array : Float32Array;
    return { values: kind === Float32Array ? values : kind.from(values), shape: shape.slice(1) };
  };
  return arrays({ x: await part(names.x), y: await part(names.y) }, path);
}

/** What a zip archive has, by name; what is damaged is found out when it is asked for. */
async function entriesOf(bytes: Uint8Array, path: string): Promise<ReadonlyMap<string, () => Promise<Uint8Array>>> {
  const { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } = await import('@zip.js/zip.js');
  const archive = new ZipReader(new Uint8ArrayReader(bytes), { useWebWorkers: false, checkSignature: true });
  const entries = await archive.getEntries().catch((error: unknown) => {
    const reason = `it is no zip archive, which an npz file is (${(error as Error).message})`;
    throw fault('READER_INPUT', { path, reason }, error);
  });
  const files = entries.flatMap((entry) => (entry.directory ? [] : [entry]));
  return new Map(
    files.map((entry) => [
      entry.filename,
      () =>
        entry.getData(new Uint8ArrayWriter()).catch((error: unknown) => {
          const reason = `${entry.filename} in it is damaged (${(error as Error).message})`;
          throw fault('READER_INPUT', { path, reason }, error);
        }),
    ]),
  );
}
