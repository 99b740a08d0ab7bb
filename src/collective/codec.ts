import type { FrameKind, Round } from './frame.js';
import type { Slice } from './owner-map.js';
import type { TreeSpan } from './tree.js';
import type { Workspace } from './workspace.js';

/** What a codec is asked to encode, for whatever it keys by it: rounding, residuals. */
export interface CodedPlace {
  readonly kind: FrameKind;
  readonly round: Round;
  /** The micro-batches under the node; all of them for a sum. */
  readonly span: TreeSpan;
  /** Index of the first element in the flat vector. */
  readonly begin: number;
}

/**
 * Makes vectors smaller for the wire, at a price in accuracy. A node is encoded by the worker that computed it and a sum
 * by the owner of its slice, once, whoever receives it. One object serves one generation on one rank, so it may keep
 * residuals. Without a codec floats travel as they are.
 */
export interface Codec {
  /** Bytes for `length` elements, a multiple of 4; the same for every vector of that length. */
  byteLength(length: number): number;
  /**
   * Encodes `values` and replaces them by what `decode` will make of it: everybody computes with the same numbers, the
   * sender included.
   *
   * @param into - uint8[byteLength(values.length)], 4-byte aligned
   */
  encode(values: Float32Array, place: CodedPlace, into: Uint8Array): void;
  /** @param bytes - uint8[byteLength(values.length)], 4-byte aligned */
  decode(bytes: Uint8Array, values: Float32Array): void;
  /** What was lost so far counts no more: the step was skipped, so what was sent with it was not applied. */
  forget(): void;
}

/**
 * What a slice looks like on the wire: with a codec encoded elements and then, as floats, those of the vector's tail that
 * must stay exact (loss, counts); without one the floats themselves, of which no copy is made.
 */
export class SliceCoder {
  /** @param exactFrom - index in the flat vector from which on elements are never encoded */
  constructor(
    private readonly codec: Codec | undefined,
    private readonly exactFrom: number,
    private readonly workspace: Workspace,
  ) {}

  get isPlain(): boolean {
    return this.codec === undefined;
  }

  byteLength(slice: Slice): number {
    const coded = this.codedLength(slice);
    return (this.codec ? this.codec.byteLength(coded) : coded * 4) + (slice.end - slice.begin - coded) * 4;
  }

  /** The payload for a slice's `values`, which become what receivers decode. Valid until the workspace is reset. */
  encode(slice: Slice, values: Float32Array, place: CodedPlace): Uint8Array {
    if (!this.codec) return bytesOf(values);
    const bytes = this.target(slice);
    const coded = this.codedLength(slice);
    const codedBytes = this.codec.byteLength(coded);
    this.codec.encode(values.subarray(0, coded), place, bytes.subarray(0, codedBytes));
    bytes.set(bytesOf(values.subarray(coded)), codedBytes);
    return bytes;
  }

  /** Where a payload may be received that `decode` is then given. */
  target(slice: Slice): Uint8Array {
    const length = this.byteLength(slice);
    return bytesOf(this.workspace.take(Math.ceil(length / 4))).subarray(0, length);
  }

  /** The values of a payload that `encode` made, 4-byte aligned. Only with a codec. */
  decode(slice: Slice, bytes: Uint8Array, values: Float32Array): void {
    const coded = this.codedLength(slice);
    const codedBytes = this.codec!.byteLength(coded);
    this.codec!.decode(bytes.subarray(0, codedBytes), values.subarray(0, coded));
    bytesOf(values.subarray(coded)).set(bytes.subarray(codedBytes));
  }

  forget(): void {
    this.codec?.forget();
  }

  /** Elements at the slice's beginning that are encoded. */
  private codedLength({ begin, end }: Slice): number {
    return Math.max(0, Math.min(end, this.exactFrom) - begin);
  }
}

export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
