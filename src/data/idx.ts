/**
 * IDX files, the format of MNIST: two zero bytes, the type (8 = unsigned byte), the number of dimensions, each dimension
 * as a big-endian uint32, then the values. Plain or gzip, told apart by their first bytes and not by their names.
 */
import { open, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { fault } from './faults.js';
import { sizeOf } from '../core/shape.js';

const unsignedByte = 0x08;
/** Bytes that are read at a time. */
const chunkBytes = 1 << 20;

export interface Idx {
  /** Dimensions, the number of samples first. */
  readonly shape: readonly number[];
  /** uint8[product of shape], a view of the content. */
  readonly values: Uint8Array<SharedArrayBuffer>;
}

/**
 * The uncompressed content of an IDX file, in memory that the engine's thread can share.
 *
 * @throws LockstepError `DATASET_FILE_UNREADABLE`, `GZIP_CORRUPT`
 */
export async function readIdxContent(path: string): Promise<Uint8Array<SharedArrayBuffer>> {
  try {
    return await readPlain(path);
  } catch (error) {
    if (error instanceof GzipFound) return readGzip(path);
    throw unreadable(path, error);
  }
}

class GzipFound extends Error {}

async function readPlain(path: string): Promise<Uint8Array<SharedArrayBuffer>> {
  const file = await open(path);
  try {
    const content = sharedBytes((await file.stat()).size);
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(content.length, 1)));
    for (let offset = 0; offset < content.length;) {
      const { bytesRead } = await file.read(chunk, 0, Math.min(chunk.length, content.length - offset));
      if (bytesRead === 0) return content.subarray(0, offset); //  shortened meanwhile: the parser says so
      if (offset === 0 && chunk[0] === 0x1f && chunk[1] === 0x8b) throw new GzipFound();
      content.set(chunk.subarray(0, bytesRead), offset);
      offset += bytesRead;
    }
    return content;
  } finally {
    await file.close();
  }
}

async function readGzip(path: string): Promise<Uint8Array<SharedArrayBuffer>> {
  const compressed = await readFile(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  let plain: Uint8Array;
  try {
    plain = await promisify(gunzip)(compressed);
  } catch (error) {
    throw fault('GZIP_CORRUPT', { path, reason: reasonOf(error) }, error);
  }
  const content = sharedBytes(plain.length);
  content.set(plain);
  return content;
}

/**
 * @param content - of the whole file, uncompressed
 * @param dimensionCounts - those that are allowed: [1] for labels, [3, 4] for images
 * @param path - names the file in faults
 * @throws LockstepError `IDX_WRONG_MAGIC`, `IDX_TRUNCATED`, `IDX_TRAILING_BYTES`, `IDX_EMPTY`
 */
export function parseIdx(
  content: Uint8Array<SharedArrayBuffer>,
  dimensionCounts: readonly number[],
  path: string,
): Idx {
  const dimensionCount = content[3] ?? 0;
  const magic = Array.from(content.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const isIdx =
    content[0] === 0 && content[1] === 0 && content[2] === unsignedByte && dimensionCounts.includes(dimensionCount);
  if (!isIdx) {
    const expected = `an IDX file of bytes with ${dimensionCounts.join(' or ')} dimension${dimensionCounts[0] === 1 ? '' : 's'}`;
    throw fault('IDX_WRONG_MAGIC', { path, expected, actual: magic === '' ? 'nothing' : magic });
  }
  const headerBytes = 4 + 4 * dimensionCount;
  const actualBytes = content.length;
  if (actualBytes < headerBytes) throw fault('IDX_TRUNCATED', { path, expectedBytes: headerBytes, actualBytes });
  const view = new DataView(content.buffer, content.byteOffset, headerBytes);
  const shape = Array.from({ length: dimensionCount }, (_, d) => view.getUint32(4 + 4 * d));
  const expectedBytes = headerBytes + sizeOf(shape);
  if (expectedBytes === headerBytes) throw fault('IDX_EMPTY', { path, shape });
  if (actualBytes < expectedBytes) throw fault('IDX_TRUNCATED', { path, expectedBytes, actualBytes });
  if (actualBytes > expectedBytes) throw fault('IDX_TRAILING_BYTES', { path, expectedBytes, actualBytes });
  return { shape, values: content.subarray(headerBytes) };
}

export function sharedBytes(length: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(length));
}

function unreadable(path: string, error: unknown) {
  return fault('DATASET_FILE_UNREADABLE', { path, reason: reasonOf(error) }, error);
}

/** `EACCES: permission denied`, without the call and the path that Node puts behind it. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.message.split(',')[0] ?? error.message) : String(error);
}
