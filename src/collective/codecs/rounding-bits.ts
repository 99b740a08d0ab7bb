import { philox4x32, randomStream } from '../../core/random.js';
import type { PieceKey } from './codec.js';

/** Floats that `roundingBits` draws for at a time; a multiple of 8. */
const drawnFloats = 256;

/**
 * Sixteen random bits for each of 256 elements from `key.element` on, a pure function of (seed, step, hop, node, element):
 * whichever rank encodes a node, and in whatever order, rounds it in the same way.
 *
 * Philox with (element / 8, node's first, node's end and hop, step) as its counter; one call gives eight elements.
 *
 * @returns a function whose result is overwritten by its next call
 */
export function roundingBits(seed: number): (key: PieceKey) => Uint16Array {
  const [key0, key1] = roundingKey(seed);
  const counter = new Uint32Array(4);
  const words = new Uint32Array(4);
  const bits = new Uint16Array(drawnFloats);
  return (key) => {
    const { element } = key;
    counter.set(counterOf(key), 1);
    for (let i = 0; i < drawnFloats; i += 8) {
      counter[0] = Math.floor((element + i) / 8);
      philox4x32(counter, key0, key1, words);
      for (let word = 0; word < 4; word++) {
        bits[i + 2 * word] = words[word]! & 0xffff;
        bits[i + 2 * word + 1] = words[word]! >>> 16;
      }
    }
    return bits;
  };
}

/** Philox's key. */
export function roundingKey(seed: number): readonly [number, number] {
  const stream = randomStream(seed, 'codec-rounding');
  return [stream.uint32(), stream.uint32()];
}

/** Its counter, but for the first word. */
export function counterOf({ step, hop, first, end }: PieceKey): readonly [number, number, number] {
  return [first, end * 2 + (hop === 'sum' ? 1 : 0), step];
}
