import type { LossyCodec } from '../../core/run-spec.js';
import type { Codec } from '../codec.js';
import { bf16 } from './bf16.js';
import type { PieceCodec } from './codec.js';
import { int8 } from './int8.js';
import { PiecewiseCodec } from './piecewise.js';
import { topk } from './topk.js';

/** @returns a codec for one generation on one rank, or undefined where floats travel as they are */
export function createCodec(spec: LossyCodec | undefined, seed: number): Codec | undefined {
  return spec && new PiecewiseCodec(pieceCodec(spec, seed));
}

export function pieceCodec({ name, ratio, rounding }: LossyCodec, seed: number): PieceCodec {
  switch (name) {
    case 'bf16':
      return bf16;
    case 'int8':
      return int8(rounding, seed);
    case 'topk':
      return topk(ratio);
  }
}
