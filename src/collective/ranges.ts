/** The contiguous micro-batches `first..end-1` of a step that a rank computes; empty when `first === end`. */
export interface Range {
  readonly first: number;
  readonly end: number;
}

/**
 * Cuts `0..count-1` into one contiguous range a share, each as long as its share of the whole, rounded at the cuts.
 *
 * Every index is in exactly one range, whatever the shares are. A range may be empty.
 *
 * @param shares - non-negative weights, at least one of them positive
 */
export function rangesByShare(count: number, shares: readonly number[]): readonly Range[] {
  const total = shares.reduce((sum, share) => sum + share, 0);
  let cumulative = 0;
  let first = 0;
  return shares.map((share, rank) => {
    cumulative += share;
    const isLast = rank === shares.length - 1;
    const end = isLast ? count : Math.min(count, Math.floor((count * cumulative) / total)); // rounding may lose nobody
    const range = { first, end };
    first = end;
    return range;
  });
}

/** `rangesByShare` for workers of equal speed. */
export function equalRanges(count: number, worldSize: number): readonly Range[] {
  return rangesByShare(count, new Array<number>(worldSize).fill(1));
}
