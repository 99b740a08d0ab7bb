import { fault } from './faults.js';
import { sizeOf } from '../core/shape.js';

export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** Whether it has bytes, as pictures do. */
  readonly isBytes: boolean;
  /** As NumPy has it: `<f4`. */
  readonly type: string;
}

export interface NpyHeader {
  readonly shape: readonly number[];
  readonly type: string;
  /** Where the values begin, in bytes. */
  readonly end: number;
}

type Reader = (view: DataView, at: number) => number;

const readers: Readonly<Record<string, readonly [bytes: number, Reader]>> = {
  '|u1': [1, (view, at) => view.getUint8(at)],
  '|i1': [1, (view, at) => view.getInt8(at)],
  '<i4': [4, (view, at) => view.getInt32(at, true)],
  '<i8': [8, (view, at) => Number(view.getBigInt64(at, true))],
  '<f4': [4, (view, at) => view.getFloat32(at, true)],
  '<f8': [8, (view, at) => view.getFloat64(at, true)],
};

/**
 * An array as `numpy.save` writes it.
 *
 * @param path - names the file in faults
 * @throws LockstepError `INPUT_UNREADABLE`
 */
export function decodeNpy(bytes: Uint8Array, path: string): NpyArray {
  const { shape, type, end } = readNpyHeader(bytes, path);
  const no = (reason: string): Error => fault('INPUT_UNREADABLE', { path, reason });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = readers[type];
  if (!reader) throw no(`its type is ${type || 'unknown'}, not one of ${Object.keys(readers).join(', ')}`);
  const size = sizeOf(shape);
  const [width, read] = reader;
  if (bytes.length !== end + size * width)
    throw no(`it has ${bytes.length} bytes, its header says ${end + size * width}`);
  const values = Float32Array.from({ length: size }, (_, i) => read(view, end + i * width));
  return { shape, values, isBytes: type === '|u1', type };
}

/**
 * What stands in front of the values.
 *
 * @param bytes - the first of the file, or all
 * @throws LockstepError `INPUT_UNREADABLE`
 */
export function readNpyHeader(bytes: Uint8Array, path: string): NpyHeader {
  const no = (reason: string): Error => fault('INPUT_UNREADABLE', { path, reason });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || Buffer.from(bytes.subarray(1, 6)).toString('latin1') !== 'NUMPY')
    throw no('it is no npy file');
  const isFirstVersion = bytes[6] === 1;
  const begin = isFirstVersion ? 10 : 12;
  const end = begin + (isFirstVersion ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = Buffer.from(bytes.subarray(begin, end)).toString('latin1');
  const [, type = ''] = /'descr': '([^']*)'/.exec(header) ?? [];
  const [, tuple = ''] = /'shape': \(([^)]*)\)/.exec(header) ?? [];
  if (!header.includes("'fortran_order': False")) throw no('its order is that of Fortran');
  const shape = tuple
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  return { shape, type, end };
}
