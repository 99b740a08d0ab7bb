/**
 * Random numbers as a pure function of (seed, key): no state is shared, so it does not matter who asks first, on which
 * machine, or in what order tensors, epochs and tests draw theirs.
 *
 * The generator is Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): ten rounds of
 * multiplication that turn a 128-bit counter into 128 random bits under a 64-bit key; it passes TestU01's BigCrush. The
 * Philox key and the upper half of the counter are the SHA-256 of (seed, key), so that streams of different keys are unrelated.
 */
import { createHash } from 'node:crypto';

/** Random numbers, the same ones whenever they are asked for with the same seed and key. */
export interface RandomStream {
  /** Uniform in 0..2^32-1. */
  uint32(): number;
  /** Uniform in [0, 1), a multiple of 2^-53. Takes two of `uint32`. */
  uniform(): number;
}

/**
 * @param seed - a safe integer
 * @param key - what the numbers are for: `randomStream(7, 'initial-weights', 'conv1.kernel')`. Numbers are safe integers;
 *   1 and '1' are different keys
 */
export function randomStream(seed: number, ...key: (string | number)[]): RandomStream {
  const identity = identityWords(seed, key);
  const counter = Uint32Array.of(0, 0, identity[2]!, identity[3]!);
  const output = new Uint32Array(4);
  let used = 4;

  function uint32(): number {
    if (used === 4) {
      philox4x32(counter, identity[0]!, identity[1]!, output);
      counter[0]!++;
      if (counter[0] === 0) counter[1]!++;
      used = 0;
    }
    return output[used++]!;
  }

  return {
    uint32,
    uniform() {
      const high = uint32() >>> 5; //                             27 bits, then 26
      const low = uint32() >>> 6;
      return (high * 67_108_864 + low) / 9_007_199_254_740_992;
    },
  };
}

/** The Philox key of (seed, key) as two uint32, for those who count by themselves. @param key - as for `randomStream` */
export function philoxKey(seed: number, ...key: (string | number)[]): readonly [number, number] {
  const [key0, key1] = identityWords(seed, key);
  return [key0!, key1!];
}

/** SHA-256 of (seed, key) as eight uint32. */
function identityWords(seed: number, key: readonly (string | number)[]): Uint32Array {
  for (const part of [seed, ...key]) {
    if (typeof part === 'number' && !Number.isSafeInteger(part)) throw new RangeError(`not a safe integer: ${part}`);
  }
  const hash = createHash('sha256')
    .update(JSON.stringify([seed, ...key]))
    .digest();
  return Uint32Array.from({ length: 8 }, (_, i) => hash.readUInt32BE(i * 4));
}

/** Philox 4x32 with 10 rounds: `output` = the random bits of `counter` (both uint32[4]) under the key (key0, key1). */
export function philox4x32(counter: Uint32Array, key0: number, key1: number, output: Uint32Array): void {
  let c0 = counter[0]!;
  let c1 = counter[1]!;
  let c2 = counter[2]!;
  let c3 = counter[3]!;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low0 = Math.imul(0xd2511f53, c0);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ key0;
    c1 = low1;
    c2 = high0 ^ c3 ^ key1;
    c3 = low0;
    key0 = (key0 + 0x9e3779b9) | 0; //                            Weyl sequence: golden ratio, then sqrt(3) - 1
    key1 = (key1 + 0xbb67ae85) | 0;
  }
  output[0] = c0;
  output[1] = c1;
  output[2] = c2;
  output[3] = c3;
}

/** The upper 32 bits of the 64-bit product of two uint32. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); //        below 2^33: float64 is exact
  const carry = aLow * bHigh + (middle % 65_536);
  return (aHigh * bHigh + Math.floor(middle / 65_536) + Math.floor(carry / 65_536)) | 0;
}
