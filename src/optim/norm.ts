/** Sums of squares whose bits depend on nothing but the values: never taken by slice, always in this order. */

/** Partial sums of a norm. Part of the numerics: another number gives other bits. */
export const lanes = 16;
const partial = new Float64Array(lanes);

/** As `sumOfSquares`: what may stand in for it. */
export type SumOfSquares = (values: Float32Array, begin: number, end: number, scale?: number) => number;

/**
 * The sum of squares of `scale` times the elements, in float64: element i goes to partial sum i mod 16, and the partial sums
 * are added in a fixed tree, neighbours first.
 */
export function sumOfSquares(values: Float32Array, begin: number, end: number, scale = 1): number {
  partial.fill(0);
  for (let i = begin, lane = 0; i < end; i++, lane = (lane + 1) & (lanes - 1)) {
    const value = values[i]! * scale;
    partial[lane]! += value * value;
  }
  return sumOfLanes(partial);
}

/** @param sums - float64[lanes], used up */
export function sumOfLanes(sums: Float64Array): number {
  for (let width = 1; width < lanes; width *= 2) {
    for (let lane = 0; lane < lanes; lane += 2 * width) sums[lane]! += sums[lane + width]!;
  }
  return sums[0]!;
}
