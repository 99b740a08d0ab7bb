import { createHash } from 'node:crypto';
import { endianness } from 'node:os';

/** SHA-256 as 64 lower-case hexadecimal digits. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** IEEE 754 fixes every bit of a result except those of a NaN, which differ between x64 and arm64: all NaNs are this one. */
const canonicalNaN = 0x7fc00000;
const isLittleEndian = endianness() === 'LE';
/** Floats that are copied at a time where a copy is needed. */
const blockFloats = 16_384;

/**
 * What two runs compare: SHA-256 of the weights' little-endian float32 bytes, in canonical order, every NaN written as
 * 0x7FC00000. Copies nothing on a little-endian machine unless there is a NaN.
 *
 * @param weights - float32[weightCount]
 */
export function weightsDigest(weights: Float32Array): string {
  const hash = createHash('sha256');
  if (isLittleEndian && !hasNaN(weights)) {
    return hash.update(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength)).digest('hex');
  }
  const view = new DataView(new ArrayBuffer(blockFloats * 4));
  for (let begin = 0; begin < weights.length; begin += blockFloats) {
    const count = Math.min(blockFloats, weights.length - begin);
    for (let i = 0; i < count; i++) {
      const weight = weights[begin + i]!;
      if (weight !== weight) view.setUint32(i * 4, canonicalNaN, true);
      else view.setFloat32(i * 4, weight, true);
    }
    hash.update(new Uint8Array(view.buffer, 0, count * 4));
  }
  return hash.digest('hex');
}

function hasNaN(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== values[i]) return true;
  return false;
}
