/**
 * The outer step of DiLoCo (Douillard et al. 2023, "DiLoCo: Distributed low-communication training of language models"):
 * workers train by themselves for some batches, and the mean of their differences is taken for a gradient by Nesterov's rule
 * with the momentum of PyTorch's SGD:
 *
 *     d = mean of (w - w of a worker);  b = momentum b + d;  w -= lr (d + momentum b)
 */
import type { Optimizer, OptimizerState } from './optimizer.js';

const outerSlot = 'outerMomentum';

/** The inner rule with one more state vector, the outer buffer, which the inner rule leaves alone. */
export function withOuterMomentum(inner: Optimizer): Optimizer {
  return {
    ...inner,
    slots: [...inner.slots, outerSlot],
    initialSlotValue: (slot, learningRate) => (slot === outerSlot ? 0 : inner.initialSlotValue(slot, learningRate)),
  };
}

/**
 * Writes weights and outer buffer of `to`; its other slots are left as they are. Weights behind those that are trained,
 * running averages, are averaged and no more.
 *
 * @param from - the state before the workers went apart
 * @param differenceSum - float32[>= weightCount]: of each worker `weight` times its difference
 * @param weightSum - of all workers, above 0
 */
export function outerStep(
  from: OptimizerState,
  to: OptimizerState,
  differenceSum: Float32Array,
  weightSum: number,
  { outerLearningRate, outerMomentum }: { readonly outerLearningRate: number; readonly outerMomentum: number },
): void {
  const w = from.weights;
  const wNext = to.weights;
  const b = from.slots.at(-1)!;
  const bNext = to.slots.at(-1)!;
  for (let i = 0; i < b.length; i++) {
    const difference = differenceSum[i]! / weightSum;
    const buffer = outerMomentum * b[i]! + difference;
    bNext[i] = buffer;
    wNext[i] = w[i]! - outerLearningRate * (difference + outerMomentum * buffer);
  }
  for (let i = b.length; i < w.length; i++) wNext[i] = w[i]! - differenceSum[i]! / weightSum;
}
