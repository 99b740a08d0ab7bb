/**
 * How many steps a batch of B samples needs (McCandlish et al. 2018): S(B) = S_min (1 + B_crit / B). Samples are B S(B), so
 * that a batch of B_crit needs twice the fewest steps and twice the fewest samples.
 */
export interface StepsFit {
  readonly stepsMin: number;
  /** In samples; Infinity where steps fell in proportion to the batch in all of the range. */
  readonly criticalBatch: number;
  /** Root mean square of the relative errors. */
  readonly error: number;
}

export interface StepsPoint {
  readonly batch: number;
  readonly steps: number;
}

/**
 * Least squares over relative errors: S = a + c / B is linear in a and c.
 *
 * @returns undefined for fewer than three batch sizes, which any curve of two parameters fits
 */
export function fitSteps(points: readonly StepsPoint[]): StepsFit | undefined {
  if (new Set(points.map(({ batch }) => batch)).size < 3) return undefined;
  // With each equation divided by S: a u + c v = 1, where u = 1/S and v = 1/(S B).
  let [uu, uv, vv, u1, v1] = [0, 0, 0, 0, 0];
  for (const { batch, steps } of points) {
    const [u, v] = [1 / steps, 1 / (steps * batch)];
    uu += u * u;
    uv += u * v;
    vv += v * v;
    u1 += u;
    v1 += v;
  }
  const determinant = uu * vv - uv * uv;
  let a = (u1 * vv - v1 * uv) / determinant;
  let c = (v1 * uu - u1 * uv) / determinant;
  if (a <= 0)
    [a, c] = [0, v1 / vv]; //                               no floor in sight
  else if (c < 0) [a, c] = [u1 / uu, 0]; //                           steps do not fall at all
  const squares = points.map(({ batch, steps }) => ((a + c / batch) / steps - 1) ** 2);
  const error = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / points.length);
  return { stepsMin: a, criticalBatch: a > 0 ? c / a : Infinity, error };
}

/** Steps that a fit expects; with no floor in sight it has no opinion. */
export function stepsOf({ stepsMin, criticalBatch }: StepsFit, batch: number): number | undefined {
  return Number.isFinite(criticalBatch) ? stepsMin * (1 + criticalBatch / batch) : undefined;
}
