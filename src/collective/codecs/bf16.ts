import type { PieceCodec } from './codec.js';
import type { CodecKernels } from './kernels.js';

/**
 * bfloat16: the upper half of a float32, rounded to nearest, ties to even. Half the bytes, the same range, a relative error
 * of at most 2^-8 = 0.4 %. What is above the largest bfloat16 becomes infinite.
 */
export function bf16(kernels?: CodecKernels): PieceCodec {
  return {
    name: 'bf16',
    hasErrorFeedback: false,
    bytesFor: (length) => (length + (length & 1)) * 2,
    encode(values, bytes) {
      if (kernels?.run({ what: 'bf16-encode', values, bytes })) return;
      const bits = bitsOf(values);
      const halves = halvesOf(bytes);
      halves[halves.length - 1] = 0; //                             the padding of an odd piece
      for (let i = 0; i < bits.length; i++) {
        const b = bits[i]!;
        // Of a NaN the rounding could carry into the sign: it is cut off instead, and kept a NaN.
        const half = (b & 0x7fffffff) > 0x7f800000 ? (b >>> 16) | 0x40 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
        halves[i] = half;
        bits[i] = half << 16;
      }
    },
    decode(bytes, values) {
      if (kernels?.run({ what: 'bf16-decode', values, bytes })) return;
      const bits = bitsOf(values);
      const halves = halvesOf(bytes);
      for (let i = 0; i < bits.length; i++) bits[i] = halves[i]! << 16;
    },
  };
}

function bitsOf(values: Float32Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}

function halvesOf(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
}
