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

/**
 * Bytes that a transport has not fetched yet: they are there until the frame's receiver returns. Never those of a header.
 */
export interface Fetchable {
  readonly byteLength: number;
  /** Once. @param target - as long as the payload @throws Error if they cannot be had: `target` then holds anything */
  fetch(target: Uint8Array): void;
  /** For a receiver that wants them later: the same bytes, there until they are fetched. */
  keep(): Uint8Array | Fetchable;
}

/** A frame as its receiver gets it: where the bytes end up is decided there, so that they are moved once. */
export type ArrivedFrame = Omit<Frame, 'payload'> & { readonly payload: Uint8Array | Fetchable };

/** @param target - as long as the payload */
export function fetchPayload({ payload }: ArrivedFrame, target: Uint8Array): void {
  if (payload instanceof Uint8Array) target.set(payload);
  else payload.fetch(target);
}

/** The frame, for as long as it takes. */
export function keptFrame(frame: ArrivedFrame): ArrivedFrame {
  const { payload } = frame;
  return { ...frame, payload: payload instanceof Uint8Array ? Uint8Array.from(payload) : payload.keep() };
}

/** What a header says. @returns undefined for what is none */
export function headerOf(frame: ArrivedFrame): RoundHeader | undefined {
  const { payload } = frame;
  return payload instanceof Uint8Array && payload.byteLength === headerBytes ? readHeader(payload) : undefined;
}

/** Ascending in the order in which a generation's rounds run. */
export function roundOrder(round: Round): number {
  return round.step * 2 + (round.purpose === 'evaluation' ? 1 : 0);
}

export function describeRound(round: Round): string {
  return `${round.purpose === 'evaluation' ? 'evaluation after step' : 'step'} ${round.step} of generation ${round.generation}`;
}

const headerBytes = 8;

/** What a round's header says, so that whoever does something else is found before sums are mixed. */
export interface RoundHeader {
  /** Micro-batches of the round. */
  readonly count: number;
  /** Elements of the vector. */
  readonly length: number;
}

export function writeHeader({ count, length }: RoundHeader): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(headerBytes));
  bytes.setUint32(0, count, true);
  bytes.setUint32(4, length, true);
  return new Uint8Array(bytes.buffer);
}

function readHeader({ buffer, byteOffset, byteLength }: Uint8Array): RoundHeader {
  const bytes = new DataView(buffer, byteOffset, byteLength);
  return { count: bytes.getUint32(0, true), length: bytes.getUint32(4, true) };
}
