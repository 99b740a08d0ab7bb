/**
 * LAMB (You et al. 2020, "Large batch optimization for deep learning: training BERT in 76 minutes"): Adam whose step has,
 * in each tensor, the length of the weights.
 *
 *     m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
 *     r = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + weightDecay w;  w -= lr |w| / |r| r
 *
 * The ratio is 1 where either norm is 0, and for biases and normalisation, which do not decay either.
 */
import type { OptimizerScalars } from '../optimizer.js';
import { lanes, sumOfLanes, sumOfSquares } from '../norm.js';
import { decayRate, nonNegative } from '../option.js';
import { inCalls, rule } from '../rule.js';
import { callsByTensor, partsOf } from './tensors.js';

const partial = new Float64Array(lanes);

export const lamb = rule({
  name: 'lamb',
  about: 'r: the step of adamw; w -= lr |w| / |r| r, norms a tensor; for large batches',
  options: {
    beta1: decayRate(0.9, 'Share of the past in the running average of the gradient.'),
    beta2: decayRate(0.999, 'Share of the past in the running average of the squared gradient.'),
    epsilon: nonNegative(1e-6, 'Added to the root of the squared gradient, outside the root.'),
    weightDecay: nonNegative(0, 'Times the weight, part of r; not for biases and normalisation.'),
  },
  create: ({ beta1, beta2, epsilon, weightDecay }, tensors) => ({
    name: 'lamb',
    reads: 'tensor',
    slots: ['mean', 'square'],
    initialSlotValue: () => 0,
    initialScalars: { beta1Power: 1, beta2Power: 1 },
    advance: ({ beta1Power, beta2Power }: OptimizerScalars) => ({
      beta1Power: beta1Power! * beta1,
      beta2Power: beta2Power! * beta2,
    }),
    ...inCalls(
      'lamb',
      (scalars, { learningRate, sampleCount, clipFactor }, begin, end, length) => {
        const corrections = {
          correction1: 1 - scalars['beta1Power']!,
          correction2: 1 - scalars['beta2Power']!,
        };
        const rests = { rest1: 1 - beta1, rest2: 1 - beta2 };
        const common = {
          scale: clipFactor / sampleCount,
          learningRate,
          beta1,
          beta2,
          ...rests,
          ...corrections,
          epsilon,
        };
        return callsByTensor(partsOf(tensors, length, begin, end), weightDecay, common);
      },
      (from, to, gradientSum, numbers, begin, end) => {
        const { scale, learningRate, rest1, rest2, correction1, correction2, decay } = numbers;
        const w = from.weights;
        const m = from.slots[0]!;
        const v = from.slots[1]!;
        // r is needed twice, for its norm and for the step: computed twice, it is never rounded to float32.
        const stepAt = (i: number): number => {
          const g = gradientSum[i]! * scale;
          const mean = beta1 * m[i]! + rest1 * g;
          const square = beta2 * v[i]! + rest2 * g * g;
          return mean / correction1 / (Math.sqrt(square / correction2) + epsilon) + decay * w[i]!;
        };
        const ratio = numbers.isScaled ? ratioOf(w, numbers.tensorBegin, numbers.tensorEnd, stepAt) : 1;
        for (let i = begin; i < end; i++) {
          const g = gradientSum[i]! * scale;
          to.weights[i] = w[i]! - learningRate * ratio * stepAt(i);
          to.slots[0]![i] = beta1 * m[i]! + rest1 * g;
          to.slots[1]![i] = beta2 * v[i]! + rest2 * g * g;
        }
      },
    ),
  }),
});

/** |w| / |r| over elements `begin..end-1`. */
function ratioOf(w: Float32Array, begin: number, end: number, stepAt: (i: number) => number): number {
  const weightNorm = Math.sqrt(sumOfSquares(w, begin, end));
  partial.fill(0);
  for (let i = begin; i < end; i++) {
    const step = stepAt(i);
    partial[(i - begin) & (lanes - 1)]! += step * step;
  }
  const stepNorm = Math.sqrt(sumOfLanes(partial));
  return weightNorm > 0 && stepNorm > 0 ? weightNorm / stepNorm : 1;
}
