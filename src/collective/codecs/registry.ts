import { bf16 } from './bf16.js';
import type { Codec, CodecName } from './codec.js';
import { int8, type Int8Rounding } from './int8.js';
import { topk } from './topk.js';

/** What `--codec` and its companions say. */
export interface CodecSpec {
  readonly name: CodecName;
  /** Of `topk`. */
  readonly ratio: number;
  /** Of `int8`. */
  readonly rounding: Int8Rounding;
}

/** @returns undefined for `f32`: what is exact travels as it lies in memory, and nothing is encoded */
export function createCodec({ name, ratio, rounding }: CodecSpec, seed: number): Codec | undefined {
  switch (name) {
    case 'f32':
      return undefined;
    case 'bf16':
      return bf16;
    case 'int8':
      return int8(rounding, seed);
    case 'topk':
      return topk(ratio);
  }
}
