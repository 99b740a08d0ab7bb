/**
 * RMSprop (Hinton 2012, lecture 6e), as PyTorch's, where rho is called alpha:
 *
 *     v = rho v + (1 - rho) g^2;  d = sqrt(v) + epsilon
 *     centered:  m = rho m + (1 - rho) g;  d = sqrt(max(v - m^2, 0)) + epsilon      (Graves 2013)
 *     b = momentum b + g / d;  w -= lr b
 *
 * No bias correction: the first step is about lr / sqrt(1 - rho). Keras and TensorFlow.js put epsilon inside the root
 * and the learning rate inside b.
 */
import type { Optimizer, StepFactors } from '../optimizer.js';
import { decayRate, l2WeightDecay, nonNegative, toggle } from '../option.js';
import { inOneCall, plain, rule } from '../rule.js';

interface RmspropSettings {
  readonly rho: number;
  readonly epsilon: number;
  readonly momentum: number;
  readonly centered: boolean;
  readonly weightDecay: number;
}

function rmspropOptimizer({ rho, epsilon, momentum, centered, weightDecay }: RmspropSettings): Optimizer {
  const rest = 1 - rho;
  const hasMomentum = momentum > 0;
  const slots = ['square', ...(centered ? ['mean'] : []), ...(hasMomentum ? ['momentum'] : [])];
  const meanSlot = slots.indexOf('mean');
  const momentumSlot = slots.indexOf('momentum');
  const numbersOf = (scale: number, { learningRate }: StepFactors) => ({
    ...{ scale, learningRate, rho, rest, epsilon, momentum, weightDecay },
    ...{ centered: Number(centered), momentumSlot: hasMomentum ? momentumSlot : 0 }, // 0: the rule has none
  });
  return {
    ...plain,
    name: 'rmsprop',
    slots,
    ...inOneCall('rmsprop', numbersOf, (from, to, gradientSum, numbers, begin, end) => {
      const { scale, learningRate } = numbers;
      const w = from.weights;
      const wNext = to.weights;
      const v = from.slots[0]!;
      const vNext = to.slots[0]!;
      const m = centered ? from.slots[meanSlot]! : v; //          never read where the rule has none
      const mNext = centered ? to.slots[meanSlot]! : vNext;
      const b = hasMomentum ? from.slots[momentumSlot]! : v;
      const bNext = hasMomentum ? to.slots[momentumSlot]! : vNext;
      for (let i = begin; i < end; i++) {
        const weight = w[i]!;
        const g = gradientSum[i]! * scale + weightDecay * weight;
        let square = rho * v[i]! + rest * g * g;
        vNext[i] = square;
        if (centered) {
          const mean = rho * m[i]! + rest * g;
          mNext[i] = mean;
          square -= mean * mean;
          if (square < 0) square = 0; //                          rounding can make it negative; a NaN stays
        }
        let move = g / (Math.sqrt(square) + epsilon);
        if (hasMomentum) {
          move += momentum * b[i]!;
          bNext[i] = move;
        }
        wNext[i] = weight - learningRate * move;
      }
    }),
  };
}

export const rmsprop = rule({
  name: 'rmsprop',
  about: 'v: running average of g^2; w -= lr g / (sqrt(v) + epsilon)',
  options: {
    rho: decayRate(0.99, 'Share of the past in the running average of the squared gradient; alpha in PyTorch.'),
    epsilon: nonNegative(1e-8, 'Added to the root of the squared gradient, outside the root.'),
    momentum: decayRate(0, 'Share of the last step that is repeated in the next.'),
    centered: toggle('Divide by the running standard deviation instead of the root mean square.'),
    weightDecay: l2WeightDecay,
  },
  create: rmspropOptimizer,
});
