import type { Optimizer, OptimizerScalars, StepFactors } from '../optim/optimizer.js';
import type { PreparedRun } from './prepared-run.js';

/**
 * Updates slices into the spare copy as soon as they are summed, while others still travel. That is no promise: the step
 * may be abandoned, or its sum turn out not to be finite; then the copies are not swapped and nothing has happened.
 */
export class EarlyUpdate {
  /** The optimizer's scalars after this step, if it counts. */
  readonly scalars: OptimizerScalars;
  /**
   * Clipping needs the norm of the whole gradient first. Penalties are added to the sum in place, which peers may still be
   * sent.
   */
  readonly isPossible: boolean;
  /** Time that it took. */
  seconds = 0;
  readonly onSlice: ((begin: number, end: number) => void) | undefined;

  /** @param lossScale - what the sum is too large by @param nowMs - monotonic milliseconds, only to report where time went */
  constructor(
    private readonly run: PreparedRun,
    private readonly optimizer: Optimizer,
    private readonly factors: Omit<StepFactors, 'clipFactor'>,
    private readonly lossScale: number,
    nowMs: () => number,
  ) {
    const { spec, state, engine } = run;
    const { parameterCount, penalties } = engine.layout;
    this.scalars = optimizer.advance(state.progression.scalars);
    this.isPossible = spec.clipNorm === undefined && penalties.length === 0;
    this.onSlice = this.isPossible
      ? (begin, end) => {
          const beginMs = nowMs();
          this.update(begin, Math.min(end, parameterCount), 1);
          this.seconds += (nowMs() - beginMs) / 1000;
        }
      : undefined;
  }

  /** Elements `begin..end-1`, whose sum is complete. */
  update(begin: number, end: number, clipFactor: number): void {
    const { state, gradientSum } = this.run;
    const factors = { ...this.factors, clipFactor: clipFactor / this.lossScale };
    this.optimizer.update(state.now, state.spare, gradientSum, this.scalars, factors, begin, end);
  }
}
