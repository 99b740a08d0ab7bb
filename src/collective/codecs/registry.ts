import type { LossyCodec } from '../../core/run-spec.js';
import type { Codec } from '../codec.js';
import { bf16 } from './bf16.js';
import type { PieceCodec } from './codec.js';
import { int8 } from './int8.js';
import { PiecewiseCodec } from './piecewise.js';
import type { CodecKernels } from './kernels.js';
import { plainVectors, Workspace } from '../workspace.js';
import { topk } from './topk.js';

/**
 * @param residuals - memory for what is lost, with the kernels that code; what an earlier codec took there is gone
 * @returns a codec for one generation on one rank, or undefined where floats travel as they are
 */
export function createCodec(
  spec: LossyCodec | undefined,
  seed: number,
  residuals = new Workspace(plainVectors),
): Codec | undefined {
  residuals.reset();
  return spec && new PiecewiseCodec(pieceCodec(spec, seed, residuals.vectors.codecs), residuals);
}

export function pieceCodec({ name, ratio, rounding }: LossyCodec, seed: number, kernels?: CodecKernels): PieceCodec {
  switch (name) {
    case 'bf16':
      return bf16(kernels);
    case 'int8':
      return int8(rounding, seed, kernels);
    case 'topk':
      return topk(ratio);
  }
}
