/** Steps and evaluations of one generation, in the order in which they run. */
export interface Round {
  readonly generation: number;
  /** 1-based: the step that this round finishes, or after which it evaluates. */
  readonly step: number;
  readonly purpose: 'gradient' | 'evaluation';
}

export const frameKinds = ['header', 'nodes', 'sum'] as const;
export type FrameKind = (typeof frameKinds)[number];

/** What travels between two ranks. A vector longer than a chunk travels in several frames. */
export interface Frame {
  readonly kind: FrameKind;
  readonly round: Round;
  /** Index in the owner map; 0 in a header. */
  readonly slice: number;
  /** Where the payload's first float belongs in the vector that this frame is a part of. */
  readonly offset: number;
  /** float32, little-endian; any alignment. Empty in a header. */
  readonly payload: Uint8Array;
}

/** Ascending in the order in which a generation's rounds run. */
export function roundOrder(round: Round): number {
  return round.step * 2 + (round.purpose === 'evaluation' ? 1 : 0);
}

export function describeRound(round: Round): string {
  return `${round.purpose === 'evaluation' ? 'evaluation after step' : 'step'} ${round.step} of generation ${round.generation}`;
}
