import { philox4x32, philoxKey } from '../../core/random.js';
import type { SamplePlace } from '../engine.js';

/** What a layer's masks are drawn by, as in plans: compileDropout of plan/elements.ts. */
export interface MaskKey {
  readonly seed: number;
  readonly layer: string;
  /** Share of the elements that are dropped, in 0..1. */
  readonly rate: number;
}

/**
 * 0 for what is dropped and 1 / (1 - rate) for the rest, by (seed, layer, epoch, position, element): the mask of
 * kernels/elements.c.
 *
 * @param m - samples @param size - elements of one @returns float32[m * size]
 */
export function dropoutMask({ seed, layer, rate }: MaskKey, place: SamplePlace, m: number, size: number): Float32Array {
  const [key0, key1] = philoxKey(seed, 'dropout', layer);
  const threshold = Math.round(rate * 4_294_967_296);
  const scale = 1 / (1 - rate);
  const mask = new Float32Array(m * size);
  const [counter, bits] = [new Uint32Array(4), new Uint32Array(4)];
  for (let b = 0; b < m; b++) {
    counter[1] = place.position + b;
    counter[2] = place.epoch;
    for (let n = 0; n < size; n++) {
      if (n % 4 === 0) {
        counter[0] = n / 4;
        philox4x32(counter, key0, key1, bits);
      }
      mask[b * size + n] = bits[n % 4]! < threshold ? 0 : scale;
    }
  }
  return mask;
}
