import type { Codec, CodedPlace } from '../codec.js';
import type { Workspace } from '../workspace.js';
import { pieceFloats, type PieceCodec } from './codec.js';

/** What earlier vectors of one place have lost. */
type Residual = Float32Array;

/** Encodes vectors of any length piece by piece, and keeps residuals where the codec has error feedback. */
export class PiecewiseCodec implements Codec {
  /** By kind and first element, then by order within the round: a rank's first node, its second. */
  private readonly residuals = new Map<string, Residual[]>();
  /** Vectors of each place that the step at hand has encoded so far. */
  private readonly encoded = new Map<string, number>();
  private step = -1;

  constructor(
    private readonly codec: PieceCodec,
    private readonly memory: Workspace,
  ) {}

  byteLength(length: number): number {
    const whole = Math.floor(length / pieceFloats);
    return whole * this.codec.bytesFor(pieceFloats) + this.codec.bytesFor(length - whole * pieceFloats);
  }

  encode(values: Float32Array, place: CodedPlace, into: Uint8Array): void {
    const { kind, round, span, begin } = place;
    const residual = this.codec.hasErrorFeedback ? this.residualOf(place, values.length) : undefined;
    this.forPieces(values, into, (piece, bytes, at) => {
      const key = { step: round.step, hop: kind, first: span.first, end: span.end, element: begin + at };
      this.codec.encode(piece, bytes, key, residual?.subarray(at, at + piece.length));
    });
  }

  decode(bytes: Uint8Array, values: Float32Array): void {
    this.forPieces(values, bytes, (piece, code) => this.codec.decode(code, piece));
  }

  forget(): void {
    for (const residual of [...this.residuals.values()].flat()) residual.fill(0);
  }

  private forPieces(
    values: Float32Array,
    code: Uint8Array,
    visit: (piece: Float32Array, bytes: Uint8Array, at: number) => void,
  ): void {
    let byte = 0;
    for (let at = 0; at < values.length; at += pieceFloats) {
      const piece = values.subarray(at, at + pieceFloats);
      const bytes = this.codec.bytesFor(piece.length);
      visit(piece, code.subarray(byte, byte + bytes), at);
      byte += bytes;
    }
  }

  /** Ranges stay in a generation, so a rank's n-th node covers the same samples' share step after step. */
  private residualOf({ kind, begin, round }: CodedPlace, length: number): Residual {
    if (round.step !== this.step) this.encoded.clear();
    this.step = round.step;
    const place = `${kind}/${begin}`;
    const index = this.encoded.get(place) ?? 0;
    this.encoded.set(place, index + 1);
    const residuals = this.residuals.get(place) ?? [];
    this.residuals.set(place, residuals);
    return (residuals[index] ??= this.memory.take(length).fill(0));
  }
}
