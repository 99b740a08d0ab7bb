/**
 * NumPy's npz: a zip archive, nothing in it compressed, with one npy file for each tensor. (PKWARE's APPNOTE.TXT 4.3;
 * NumPy's "Format specification", version 1.0.)
 */
import { crc32 } from 'node:zlib';
import { npyHeader } from '../core/npy-header.js';
import { dataOf, type Tensor } from './safetensors.js';

/** @returns the file in pieces. Names become those of `numpy.load(...)['conv1.kernel']` */
export function encodeNpz(tensors: readonly Tensor[]): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const entries: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of tensors) {
    const content = Buffer.concat([npyHeader('<f4', tensor.shape), dataOf(tensor)]);
    const name = Buffer.from(`${tensor.name}.npy`);
    const facts = sharedFacts(name, content);
    const local = Buffer.concat([uint32(0x04034b50), facts, name]);
    entries.push(Buffer.concat([uint32(0x02014b50), uint16(version), facts, centralFacts(offset), name]));
    pieces.push(local, content);
    offset += local.length + content.length;
  }
  const directory = Buffer.concat(entries);
  const count = uint16(tensors.length);
  const end = [uint32(0x06054b50), uint16(0), uint16(0), count, count, uint32(directory.length), uint32(offset)];
  return [...pieces, directory, ...end, uint16(0)];
}

/** Of the zip format that is needed to read this. */
const version = 20;
/** 1 January 1980, midnight: the same content gives the same file. */
const date = 0x21;
const nameIsUtf8 = 0x800;

/** What stands in front of an entry and in the directory alike. */
function sharedFacts(name: Buffer, content: Buffer): Buffer {
  const [size, noExtra, stored, midnight] = [uint32(content.length), uint16(0), uint16(0), uint16(0)];
  const what = [uint16(version), uint16(nameIsUtf8), stored, midnight, uint16(date), uint32(crc32(content))];
  return Buffer.concat([...what, size, size, uint16(name.length), noExtra]);
}

function centralFacts(offset: number): Buffer {
  const [noComment, firstDisk, binary] = [uint16(0), uint16(0), uint16(0)];
  return Buffer.concat([noComment, firstDisk, binary, uint32(0), uint32(offset)]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

/** @throws RangeError from 4 GiB on, which takes another form of zip */
function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
