import type { Optimizer, OptimizerState, StepFactors } from '../../../src/optim/optimizer.js';

export function initialState(optimizer: Optimizer, weights: Float32Array, learningRate: number): OptimizerState {
  const slotOf = (slot: string) => weights.slice().fill(optimizer.initialSlotValue(slot, learningRate));
  return { weights: weights.slice(), slots: optimizer.slots.map(slotOf) };
}

export function emptyState(optimizer: Optimizer, like: Float32Array): OptimizerState {
  return { weights: like.slice().fill(0), slots: optimizer.slots.map(() => like.slice().fill(0)) };
}

export function copyOf({ weights, slots }: OptimizerState): OptimizerState {
  return { weights: weights.slice(), slots: slots.map((slot) => slot.slice()) };
}

/** Two copies of the state that take turns, as in a run. `cuts` split each update into slices. */
export class Trainer {
  private from: OptimizerState;
  private to: OptimizerState;
  private scalars;

  constructor(
    private readonly optimizer: Optimizer,
    initialWeights: Float32Array,
    private readonly factors: StepFactors,
    private readonly cuts: readonly number[] = [],
  ) {
    this.from = initialState(optimizer, initialWeights, factors.learningRate);
    this.to = emptyState(optimizer, initialWeights);
    this.scalars = optimizer.initialScalars;
  }

  step(gradientSum: Float32Array): OptimizerState {
    this.scalars = this.optimizer.advance(this.scalars);
    const bounds = [0, ...this.cuts, gradientSum.length];
    for (let i = 0; i + 1 < bounds.length; i++) {
      this.optimizer.update(this.from, this.to, gradientSum, this.scalars, this.factors, bounds[i]!, bounds[i + 1]!);
    }
    [this.from, this.to] = [this.to, this.from];
    return this.from;
  }
}
