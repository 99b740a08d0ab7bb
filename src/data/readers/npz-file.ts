import { readFile } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';

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
  const entries = entriesOf(bytes, path);
  const part = (name: string): ArrayPart => {
    const content = entries.get(`${name}.npy`);
    const there = [...entries.keys()].map((key) => key.replace(/\.npy$/, '')).join(', ');
    if (!content) throw fault('READER_INPUT', { path, reason: `it has no array ${name}; there are ${there}` });
    const { shape, values, type } = decodeNpy(content(), `${path} (${name})`);
    const kind = type === '|u1' ? Uint8Array : /^.i/.test(type) ? Int32Array : Float32Array;
    return { values: kind === Float32Array ? values : kind.from(values), shape: shape.slice(1) };
  };
  return arrays({ x: part(names.x), y: part(names.y) }, path);
}

/** What the central directory of a zip archive names. */
function entriesOf(bytes: Buffer, path: string): ReadonlyMap<string, () => Uint8Array> {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0) throw fault('READER_INPUT', { path, reason: 'it is no zip archive, which an npz file is' });
  const entries = new Map<string, () => Uint8Array>();
  let at = bytes.readUInt32LE(end + 16);
  for (let i = 0; i < bytes.readUInt16LE(end + 10); i++) {
    const [method, size, nameLength] = [
      bytes.readUInt16LE(at + 10),
      bytes.readUInt32LE(at + 20),
      bytes.readUInt16LE(at + 28),
    ];
    const local = bytes.readUInt32LE(at + 42);
    entries.set(bytes.toString('utf8', at + 46, at + 46 + nameLength), () => {
      const begin = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
      const content = bytes.subarray(begin, begin + size);
      return method === 0 ? content : inflateRawSync(content);
    });
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}
