/**
 * The safetensors format: a little-endian uint64 with the header's length; the header, a JSON object from tensor name to
 * {dtype, shape, data_offsets}, padded with spaces so that the data is aligned to 8 bytes; then the tensors' data without
 * gaps. (github.com/huggingface/safetensors, "Format".) Lockstep writes and reads float32.
 */
import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { writeFileAtomically } from '../core/atomic-file.js';
import type { ParameterLayout } from '../core/layout.js';
import { fault } from './faults.js';
import { sizeOf } from '../core/shape.js';

/** A tensor with its name in the file. */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** float32[product of shape], row-major. */
  readonly data: Float32Array;
}

/** The contents of a safetensors file. */
export interface TensorFile {
  readonly tensors: readonly Tensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

const metadataKey = '__metadata__';
const lengthBytes = 8;
const alignmentBytes = 8;
/** What the reference implementation accepts; a longer header is a damaged length. */
const headerBytesMax = 100_000_000;

/**
 * The model's tensors as views of a flat vector: of its weights, or of one that covers those that are trained.
 *
 * @param prefix - before each name: `adam.mean/` for optimizer state
 */
export function tensorsOf(layout: ParameterLayout, flat: Float32Array, prefix = ''): readonly Tensor[] {
  const covered = layout.tensors.filter(({ offset, size }) => offset + size <= flat.length);
  return covered.map(({ name, shape, offset, size }) => ({
    name: prefix + name,
    shape,
    data: flat.subarray(offset, offset + size),
  }));
}

/**
 * A safetensors file in pieces: header, then the data of each tensor, which is not copied on a little-endian machine.
 *
 * @param metadata - free text by name
 */
export function encodeSafetensors({ tensors, metadata }: TensorFile): readonly Uint8Array[] {
  let offset = 0;
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [[metadataKey, metadata]] : [];
  for (const { name, shape, data } of tensors) {
    entries.push([name, { dtype: 'F32', shape, data_offsets: [offset, (offset += data.byteLength)] }]);
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const header = Buffer.alloc(Math.ceil(json.length / alignmentBytes) * alignmentBytes, ' ');
  json.copy(header);
  const length = Buffer.alloc(lengthBytes);
  length.writeBigUInt64LE(BigInt(header.length));
  return [length, header, ...tensors.map(dataOf)];
}

/** @throws LockstepError `NOT_WRITABLE`, `DISK_FULL` */
export async function writeSafetensors(path: string, file: TensorFile): Promise<void> {
  await writeFileAtomically(path, encodeSafetensors(file));
}

/** @throws LockstepError `WEIGHTS_UNREADABLE`, and as `decodeSafetensors` does */
export async function readSafetensors(path: string): Promise<TensorFile> {
  const bytes = await readFile(path).catch((error: unknown) => {
    const reason = error instanceof Error ? (error.message.split(',')[0] ?? '') : String(error);
    throw fault('WEIGHTS_UNREADABLE', { path, reason }, error);
  });
  return decodeSafetensors(bytes, path);
}

/**
 * Reads a whole file, in the order of the data. Every length and offset is checked before it is used.
 *
 * @param path - names the file in faults
 * @throws LockstepError `WEIGHTS_TRUNCATED`, `WEIGHTS_NOT_SAFETENSORS`, `TENSOR_WRONG_TYPE`, `TENSOR_WRONG_PLACE`
 */
export function decodeSafetensors(bytes: Uint8Array, path: string): TensorFile {
  const actualBytes = bytes.length;
  if (actualBytes < lengthBytes) throw fault('WEIGHTS_TRUNCATED', { path, expectedBytes: lengthBytes, actualBytes });
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (headerBytes > headerBytesMax) {
    throw fault('WEIGHTS_NOT_SAFETENSORS', { path, reason: `its header would be ${headerBytes} bytes long` });
  }
  const dataStart = lengthBytes + headerBytes;
  if (actualBytes < dataStart) throw fault('WEIGHTS_TRUNCATED', { path, expectedBytes: dataStart, actualBytes });
  const { slots, metadata } = readHeader(bytes.subarray(lengthBytes, dataStart), path);

  let offset = 0;
  const tensors = slots.map(({ name, shape, begin, end }) => {
    const size = sizeOf(shape);
    if (begin !== offset || end !== begin + size * 4) {
      const expected = `${offset} to ${offset + size * 4} of the data`;
      throw fault('TENSOR_WRONG_PLACE', { path, tensor: name, expected, actual: `${begin} to ${end}` });
    }
    if (dataStart + end > actualBytes)
      throw fault('WEIGHTS_TRUNCATED', { path, expectedBytes: dataStart + end, actualBytes });
    offset = end;
    return { name, shape, data: float32From(bytes.subarray(dataStart + begin, dataStart + end)) };
  });
  if (dataStart + offset !== actualBytes) {
    const reason = `${actualBytes - dataStart - offset} bytes behind the last tensor`;
    throw fault('WEIGHTS_NOT_SAFETENSORS', { path, reason });
  }
  return { tensors, metadata };
}

/**
 * The flat vector of a model's weights from a file that has exactly the model's tensors, in any order.
 *
 * @returns float32[weightCount]
 * @throws LockstepError `TENSOR_MISSING`, `TENSOR_UNKNOWN`, `TENSOR_WRONG_SHAPE`
 */
export function weightsFrom({ tensors }: TensorFile, layout: ParameterLayout, path: string): Float32Array {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const weights = new Float32Array(layout.weightCount);
  for (const { name, shape, offset } of layout.tensors) {
    const found = byName.get(name);
    if (!found) throw fault('TENSOR_MISSING', { path, tensor: name, shape });
    if (found.shape.length !== shape.length || found.shape.some((d, i) => d !== shape[i])) {
      throw fault('TENSOR_WRONG_SHAPE', { path, tensor: name, expected: shape, actual: found.shape });
    }
    weights.set(found.data, offset);
    byName.delete(name);
  }
  for (const { name, shape } of byName.values()) throw fault('TENSOR_UNKNOWN', { path, tensor: name, shape });
  return weights;
}

interface Slot {
  readonly name: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function readHeader(header: Uint8Array, path: string): { slots: readonly Slot[]; metadata: Record<string, string> } {
  const invalid = (reason: string, cause?: unknown) => fault('WEIGHTS_NOT_SAFETENSORS', { path, reason }, cause);
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header));
  } catch (error) {
    throw invalid('its header is not JSON', error);
  }
  if (!isRecord(parsed)) throw invalid('its header is not a JSON object');
  const metadata: Record<string, string> = {};
  const slots: Slot[] = [];
  for (const [name, entry] of Object.entries(parsed)) {
    if (!isRecord(entry)) throw invalid(`its header says nothing about ${name}`);
    if (name === metadataKey) {
      for (const [key, text] of Object.entries(entry)) metadata[key] = String(text);
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = entry;
    if (dtype !== 'F32') throw fault('TENSOR_WRONG_TYPE', { path, tensor: name, actual: String(dtype) });
    if (!areCounts(shape)) throw invalid(`tensor ${name} has no valid shape`);
    if (!areCounts(offsets) || offsets.length !== 2) throw invalid(`tensor ${name} has no valid data_offsets`);
    slots.push({ name, shape, begin: offsets[0]!, end: offsets[1]! });
  }
  return { slots: slots.sort((a, b) => a.begin - b.begin || a.end - b.end), metadata };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function areCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((d) => Number.isSafeInteger(d) && d >= 0);
}

const isLittleEndian = endianness() === 'LE';

/** A tensor's bytes as a file has them; not copied on a little-endian machine. */
export function dataOf({ data }: Tensor): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return isLittleEndian ? bytes : Buffer.from(bytes).swap32();
}

/** A copy: the bytes of a file may lie at any alignment. */
function float32From(bytes: Uint8Array): Float32Array {
  const copy = Buffer.alloc(bytes.length); //                     of its own buffer, so aligned
  copy.set(bytes);
  if (!isLittleEndian) copy.swap32();
  return new Float32Array(copy.buffer, copy.byteOffset, copy.length / 4);
}
