/**
 * What stands in front of the values in a file of NumPy's npy format, version 1.0, padded so that they are aligned to 64
 * bytes; they follow in the order of C.
 *
 * @param type - as NumPy has it: `<f4`
 */
export function npyHeader(type: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const begin = 10;
  const length = Math.ceil((begin + text.length + 1) / 64) * 64 - begin;
  const head = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  head.writeUInt16LE(length, 8);
  return Buffer.concat([head, Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1')]);
}
