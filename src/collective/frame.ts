/** Steps and evaluations of one generation, in the order in which they run. */
export interface Round {
  readonly generation: number;
  /** 1-based: the step that this round finishes, or after which it evaluates. */
  readonly step: number;
  readonly purpose: 'gradient' | 'evaluation';
}

export const frameKinds = ['header', 'nodes', 'sum'] as const;
export type FrameKind = (typeof frameKinds)[number];

/** What travels between two ranks: a round's header, one node of one slice, or the sum of one slice. */
export interface Frame {
  readonly kind: FrameKind;
  readonly round: Round;
  /** Index in the owner map; 0 in a header. */
  readonly slice: number;
  /** Index among the sender's nodes of the round, ascending; 0 in other kinds. */
  readonly node: number;
  /**
   * A header: count of micro-batches and length of the vector, uint32 each. Else float32, or what a codec made of it.
   * Little-endian; any alignment.
   */
  readonly payload: Uint8Array;
}

/** Ascending in the order in which a generation's rounds run. */
export function roundOrder(round: Round): number {
  return round.step * 2 + (round.purpose === 'evaluation' ? 1 : 0);
}

export function describeRound(round: Round): string {
  return `${round.purpose === 'evaluation' ? 'evaluation after step' : 'step'} ${round.step} of generation ${round.generation}`;
}

/** What a round's header says, so that whoever does something else is found before sums are mixed. */
export interface RoundHeader {
  /** Micro-batches of the round. */
  readonly count: number;
  /** Elements of the vector. */
  readonly length: number;
}

export function writeHeader({ count, length }: RoundHeader): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setUint32(0, count, true);
  bytes.setUint32(4, length, true);
  return new Uint8Array(bytes.buffer);
}

/** @returns undefined for what is none */
export function readHeader({ buffer, byteOffset, byteLength }: Uint8Array): RoundHeader | undefined {
  if (byteLength !== 8) return undefined;
  const bytes = new DataView(buffer, byteOffset, byteLength);
  return { count: bytes.getUint32(0, true), length: bytes.getUint32(4, true) };
}
