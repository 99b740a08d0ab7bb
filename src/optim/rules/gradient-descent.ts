/**
 * Gradient descent, plain and with momentum, as PyTorch's SGD. g is the mean gradient, w a weight:
 *
 *     sgd        w -= lr g
 *     momentum   b = momentum b + g;  w -= lr b                  the learning rate stays outside the buffer
 *     nesterov   b = momentum b + g;  w -= lr (g + momentum b)
 */
import type { Optimizer } from '../optimizer.js';
import { decayRate, l2WeightDecay } from '../option.js';
import { inOneCall, plain, rule } from '../rule.js';

export const sgd = rule({
  name: 'sgd',
  about: 'w -= lr g',
  options: { weightDecay: l2WeightDecay },
  create: ({ weightDecay }) => ({
    ...plain,
    name: 'sgd',
    slots: [],
    ...inOneCall(
      'sgd',
      (scale, { learningRate }) => ({ scale, learningRate, weightDecay }),
      (from, to, gradientSum, numbers, begin, end) => {
        const { scale, learningRate } = numbers;
        const w = from.weights;
        const wNext = to.weights;
        for (let i = begin; i < end; i++) {
          const weight = w[i]!;
          wNext[i] = weight - learningRate * (gradientSum[i]! * scale + weightDecay * weight);
        }
      },
    ),
  }),
});

const momentumOption = decayRate(0.9, 'Share of the last step that is repeated in the next.');

function momentumOptimizer(name: string, momentum: number, weightDecay: number, isNesterov: boolean): Optimizer {
  // Both rules move by a multiple of g plus a multiple of the new buffer.
  const gradientShare = isNesterov ? 1 : 0;
  const bufferShare = isNesterov ? momentum : 1;
  return {
    ...plain,
    name,
    slots: ['momentum'],
    ...inOneCall(
      'momentum',
      (scale, { learningRate }) => ({ scale, learningRate, momentum, gradientShare, bufferShare, weightDecay }),
      (from, to, gradientSum, numbers, begin, end) => {
        const { scale, learningRate } = numbers;
        const w = from.weights;
        const wNext = to.weights;
        const b = from.slots[0]!;
        const bNext = to.slots[0]!;
        for (let i = begin; i < end; i++) {
          const weight = w[i]!;
          const g = gradientSum[i]! * scale + weightDecay * weight;
          const buffer = momentum * b[i]! + g;
          bNext[i] = buffer;
          wNext[i] = weight - learningRate * (gradientShare * g + bufferShare * buffer);
        }
      },
    ),
  };
}

export const momentum = rule({
  name: 'momentum',
  about: 'b = momentum b + g; w -= lr b',
  options: { momentum: momentumOption, weightDecay: l2WeightDecay },
  create: (o) => momentumOptimizer('momentum', o.momentum, o.weightDecay, false),
});

export const nesterov = rule({
  name: 'nesterov',
  about: 'b = momentum b + g; w -= lr (g + momentum b)',
  options: { momentum: momentumOption, weightDecay: l2WeightDecay },
  create: (o) => momentumOptimizer('nesterov', o.momentum, o.weightDecay, true),
});
