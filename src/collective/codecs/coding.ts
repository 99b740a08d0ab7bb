import { pieceFloats, type Codec, type PieceKey } from './codec.js';

/** A vector in a round: what is encoded, and where it comes from. */
export type NodeKey = Omit<PieceKey, 'element'>;

/** A part of a slice that is encoded at once: floats `begin..end-1` of the slice, bytes `byteBegin..byteEnd-1` of its code. */
interface Piece {
  readonly begin: number;
  readonly end: number;
  readonly byteBegin: number;
  readonly byteEnd: number;
  /** Elements behind the gradient, loss and counts, travel as float32. */
  readonly isExact: boolean;
}

/** How vectors of one slice are coded: lossy up to the end of the gradient, exactly from there on. */
export class SliceCoding {
  readonly pieces: readonly Piece[];
  /** Of an encoded vector of this slice; a multiple of 4. */
  readonly byteLength: number;
  private readonly residuals = new Map<string, Float32Array>();

  /**
   * @param sliceBegin - of the slice's first float in the flat vector
   * @param lossyFloats - of the flat vector: elements from there on are exact
   */
  constructor(
    private readonly codec: Codec,
    private readonly sliceBegin: number,
    sliceEnd: number,
    lossyFloats: number,
  ) {
    const length = sliceEnd - sliceBegin;
    const lossy = Math.max(0, Math.min(sliceEnd, lossyFloats) - sliceBegin);
    const pieces: Piece[] = [];
    let byteBegin = 0;
    const push = (begin: number, end: number, bytes: number, isExact: boolean): void => {
      pieces.push({ begin, end, byteBegin, byteEnd: byteBegin + bytes, isExact });
      byteBegin += bytes;
    };
    for (let begin = 0; begin < lossy; begin += pieceFloats) {
      const end = Math.min(begin + pieceFloats, lossy);
      push(begin, end, codec.bytesFor(end - begin), false);
    }
    if (lossy < length) push(lossy, length, (length - lossy) * 4, true);
    this.pieces = pieces;
    this.byteLength = byteBegin;
  }

  /**
   * Encodes one piece of a vector; its values become those that receivers decode.
   *
   * @param values - float32[slice length] @param code - uint8[byteLength], on a multiple of 4 bytes
   * @param place - whose residual it is: one vector of each place a round
   */
  encode(piece: Piece, values: Float32Array, code: Uint8Array, key: NodeKey, place: string): void {
    const { begin, end, byteBegin, byteEnd, isExact } = piece;
    const part = values.subarray(begin, end);
    const bytes = code.subarray(byteBegin, byteEnd);
    if (isExact) bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    else {
      const residual = this.codec.hasErrorFeedback ? this.residual(place).subarray(begin, end) : undefined;
      this.codec.encode(part, bytes, { ...key, element: this.sliceBegin + begin }, residual);
    }
  }

  /** @param values - float32[slice length], overwritten */
  decode(code: Uint8Array, values: Float32Array): void {
    for (const { begin, end, byteBegin, byteEnd, isExact } of this.pieces) {
      const part = values.subarray(begin, end);
      const bytes = code.subarray(byteBegin, byteEnd);
      if (isExact) new Uint8Array(part.buffer, part.byteOffset, part.byteLength).set(bytes);
      else this.codec.decode(bytes, part);
    }
  }

  /** What was lost so far counts no more: after a step that was skipped, since its values were not applied. */
  forget(): void {
    for (const residual of this.residuals.values()) residual.fill(0);
  }

  private residual(place: string): Float32Array {
    let residual = this.residuals.get(place);
    if (!residual) {
      const last = this.pieces.filter(({ isExact }) => !isExact).at(-1);
      this.residuals.set(place, (residual = new Float32Array(last?.end ?? 0)));
    }
    return residual;
  }
}
