import type { LossyCodec } from '../../core/run-spec.js';
import type { PieceCodec, PieceKey } from './codec.js';
import type { CodecKernels } from './kernels.js';
import { counterOf, roundingBits, roundingKey } from './rounding-bits.js';

/** Floats that share a scale. The scales add 1.6 % to the bytes. */
const blockFloats = 256;
/** Below it a scale would lose bits itself: such blocks are sent as zeros, and what they hold waits in the residual. */
const smallestNormal = 1.1754943508222875e-38;
/** Added and taken away, it rounds a float64 of at most 2^51 to an integer, ties to even, without a branch. */
const roundToInteger = 6_755_399_441_055_744;

/**
 * Eight bits a float, a quarter of the bytes: each block of 256 has the scale (largest magnitude) / 127, and each float is
 * an integer from -127 to 127 times that scale. On the wire: scales as float32, then the integers.
 *
 * A value is off by half a scale at most, with stochastic rounding by one scale, but right on average (Alistarh et al.
 * 2017). What is lost is added to the next step's values. One value that is not finite makes its whole block NaN.
 *
 * @param seed - of stochastic rounding, which draws for (seed, step, node, element)
 */
export function int8(rounding: LossyCodec['rounding'], seed: number, kernels?: CodecKernels): PieceCodec {
  const draw = rounding === 'stochastic' ? roundingBits(seed) : undefined;
  const philoxKey = roundingKey(seed);
  return {
    name: 'int8',
    hasErrorFeedback: true,
    bytesFor: (length) => Math.ceil(length / blockFloats) * 4 + Math.ceil(length / 4) * 4,
    encode(values, bytes, key, residual) {
      const random = draw && { key: philoxKey, counter: counterOf(key), element: key.element };
      if (kernels?.run({ what: 'int8-encode', values, bytes, residual, random })) return;
      const { scales, integers } = partsOf(bytes, values.length);
      if (residual) for (let i = 0; i < values.length; i++) residual[i] = values[i] = values[i]! + residual[i]!;
      for (let block = 0; block < scales.length; block++) {
        const begin = block * blockFloats;
        const end = Math.min(begin + blockFloats, values.length);
        scales[block] = scaleOf(values, begin, end);
        const scale = scales[block]!;
        if (draw) roundAtRandom(values, integers, begin, end, scale, draw(blockKey(key, begin)));
        else roundToNearest(values, integers, begin, end, scale);
      }
      integers.fill(0, values.length); //                           padding
      if (residual) for (let i = 0; i < values.length; i++) residual[i] = residual[i]! - values[i]!;
    },
    decode(bytes, values) {
      if (kernels?.run({ what: 'int8-decode', values, bytes })) return;
      const { scales, integers } = partsOf(bytes, values.length);
      for (let block = 0; block < scales.length; block++) {
        const scale = scales[block]!;
        const end = Math.min((block + 1) * blockFloats, values.length);
        for (let i = block * blockFloats; i < end; i++) values[i] = integers[i]! * scale;
      }
    },
  };
}

function partsOf(bytes: Uint8Array, length: number): { scales: Float32Array; integers: Int8Array } {
  const blocks = Math.ceil(length / blockFloats);
  return {
    scales: new Float32Array(bytes.buffer, bytes.byteOffset, blocks),
    integers: new Int8Array(bytes.buffer, bytes.byteOffset + blocks * 4, bytes.byteLength - blocks * 4),
  };
}

/** 0 for a block that is sent as zeros, NaN if a value is not finite. */
function scaleOf(values: Float32Array, begin: number, end: number): number {
  let largest = 0;
  for (let i = begin; i < end; i++) largest = Math.max(largest, Math.abs(values[i]!)); // NaN stays NaN
  if (largest - largest !== 0) return NaN;
  const scale = largest / 127;
  return scale < smallestNormal ? 0 : scale;
}

/** The float32 nearest to the integer times the scale is what `decode` stores: here it is stored the same way. */
function roundToNearest(values: Float32Array, integers: Int8Array, begin: number, end: number, scale: number): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  for (let i = begin; i < end; i++) {
    const integer = values[i]! * inverse + roundToInteger - roundToInteger; // at most 127.00001 before rounding
    integers[i] = integer;
    values[i] = integer * scale;
  }
}

/** @param random - uint16[blockFloats]: a value between two integers goes to the upper one with the odds of its distance */
function roundAtRandom(
  values: Float32Array,
  integers: Int8Array,
  begin: number,
  end: number,
  scale: number,
  random: Uint16Array,
): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  for (let i = begin; i < end; i++) {
    const threshold = (random[i - begin]! + 0.5) / 65_536 - 0.5; // in (-0.5, 0.5): moves what `nearest` rounds
    let integer = values[i]! * inverse + threshold + roundToInteger - roundToInteger;
    if (integer > 127)
      integer = 127; //                            the largest value, whose scale was rounded down
    else if (integer < -127) integer = -127;
    integers[i] = integer;
    values[i] = integer * scale;
  }
}

function blockKey(key: PieceKey, offset: number): PieceKey {
  return { ...key, element: key.element + offset };
}
