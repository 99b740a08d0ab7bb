/**
 * What the loss is multiplied with before the gradient is taken, so that small gradients do not vanish on their way back
 * through the layers. Powers of two: to multiply and to divide by them changes no bit, as long as nothing overflows, and
 * what overflows is seen, skipped, and tried again with half the scale. Part of the training state, so that every rank has
 * the same at any time and a run that is resumed goes on with it.
 */
export interface LossScale {
  readonly value: number;
  /** Since the scale last changed; only as long as it may grow again. */
  readonly finiteSteps: number;
}

/** After so many steps in a row without trouble it is tried whether twice the scale does no harm any more. */
export const growAfterSteps = 2_000;

export function firstLossScale(value: number): LossScale {
  return { value, finiteSteps: 0 };
}

/** @param largest - what the run began with: it never grows beyond that */
export function nextLossScale({ value, finiteSteps }: LossScale, isFinite: boolean, largest: number): LossScale {
  if (!isFinite) return firstLossScale(Math.max(1, value / 2));
  if (value >= largest) return firstLossScale(value);
  return finiteSteps + 1 < growAfterSteps ? { value, finiteSteps: finiteSteps + 1 } : firstLossScale(value * 2);
}

/** Whether a step that was not finite may be finite with the next scale, and has not to be counted as hopeless. */
export function canBeHalved(scale: LossScale | undefined): boolean {
  return scale !== undefined && scale.value > 1;
}
