/** Steps and evaluations of one generation, in the order in which they run. */
export interface Round {
  readonly generation: number;
  /** 1-based: the step that this round finishes, or after which it evaluates. */
  readonly step: number;
  readonly purpose: 'gradient' | 'evaluation';
}

export const frameKinds = ['header', 'nodes', 'sum', 'copy'] as const;
export type FrameKind = (typeof frameKinds)[number];

/**
 * What travels between two ranks: a round's header, one node of one slice, the sum of one slice, or one node of the rank
 * before the sender that the sender has computed, too.
 */
export interface Frame {
  readonly kind: FrameKind;
  readonly round: Round;
  /** Index in the owner map; 0 in a header. */
  readonly slice: number;
  /** Index among the sender's nodes of the round, ascending, or in a copy among those of the rank before it; else 0. */
  readonly node: number;
  /**
   * A header: four times uint32, as `RoundHeader` has them. Else float32, or what a codec made of it.
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

const headerBytes = 16;

/** What a round's header says, so that whoever does something else is found before sums are mixed. */
export interface RoundHeader {
  /** Micro-batches of the round. */
  readonly count: number;
  /** Elements of the vector. */
  readonly length: number;
  /** Whoever has the same number here computes the same bits of any node; 0: nobody else does for certain. Default 0. */
  readonly bits?: number;
  /** The engine still computes for a step that is over, so that own nodes will come late. Default false. */
  readonly isBehind?: boolean;
}

export function writeHeader({ count, length, bits = 0, isBehind = false }: RoundHeader): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(headerBytes));
  for (const [i, value] of [count, length, bits, Number(isBehind)].entries()) bytes.setUint32(i * 4, value, true);
  return new Uint8Array(bytes.buffer);
}

function readHeader({ buffer, byteOffset, byteLength }: Uint8Array): RoundHeader {
  const bytes = new DataView(buffer, byteOffset, byteLength);
  const [count, length, bits, isBehind] = [0, 4, 8, 12].map((at) => bytes.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
  ];
  return { count, length, bits, isBehind: isBehind === 1 };
}
