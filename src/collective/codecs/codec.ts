import type { LossyCodec } from '../../core/run-spec.js';
import type { FrameKind } from '../frame.js';

/**
 * How a piece of a float32 vector is written on the wire. A codec that loses something is used so that replicas never part: whoever
 * encodes goes on with the values that everybody else will decode.
 */
export interface PieceCodec {
  readonly name: LossyCodec['name'];
  /** Whether what is lost is added to the next values of the same place (Karimireddy et al. 2019, "error feedback"). */
  readonly hasErrorFeedback: boolean;
  /** Bytes that a piece of `length` floats becomes: fixed, so that a receiver knows what to expect; a multiple of 4. */
  bytesFor(length: number): number;
  /**
   * Writes a piece, and leaves in `values` what `decode` makes of it. NaN and infinity stay not finite, so that the step is
   * skipped.
   *
   * @param values - float32[at most pieceFloats], overwritten
   * @param bytes - uint8[bytesFor(values.length)], on a multiple of 4 bytes; overwritten
   * @param key - where and when: what random numbers are drawn for
   * @param residual - with error feedback, float32 of the same length: added to the values first, then what was lost
   */
  encode(values: Float32Array, bytes: Uint8Array, key: PieceKey, residual?: Float32Array): void;
  /** @param values - float32 of the piece's length, overwritten */
  decode(bytes: Uint8Array, values: Float32Array): void;
}

/** Floats that are encoded together: small enough for the processor's cache, and for indices of 16 bits. */
export const pieceFloats = 65_536;

/** A piece in the run: the same key on whichever rank encodes it. */
export interface PieceKey {
  readonly step: number;
  /** On its way to an owner, or the sum on its way from it. */
  readonly hop: FrameKind;
  /** The micro-batches under the node. */
  readonly first: number;
  readonly end: number;
  /** Of the piece's first element in the flat vector. */
  readonly element: number;
}
