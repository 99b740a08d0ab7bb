/**
 * Adadelta (Zeiler 2012), as PyTorch's:
 *
 *     e = rho e + (1 - rho) g^2;  d = sqrt(u + epsilon) / sqrt(e + epsilon) g
 *     u = rho u + (1 - rho) d^2;  w -= lr d                      usually with lr = 1
 */
import { decayRate, l2WeightDecay, nonNegative } from '../option.js';
import { inOneCall, plain, rule } from '../rule.js';

export const adadelta = rule({
  name: 'adadelta',
  about: 'w -= lr d, where d is g times the running root mean square of past d over that of g; usually with lr 1',
  options: {
    rho: decayRate(0.9, 'Share of the past in both running averages.'),
    epsilon: nonNegative(1e-6, 'Added to both running averages, inside the roots.'),
    weightDecay: l2WeightDecay,
  },
  create: ({ rho, epsilon, weightDecay }) => ({
    ...plain,
    name: 'adadelta',
    slots: ['square', 'squareUpdate'],
    ...inOneCall(
      'adadelta',
      (scale, { learningRate }) => ({ scale, learningRate, rho, rest: 1 - rho, epsilon, weightDecay }),
      (from, to, gradientSum, numbers, begin, end) => {
        const { scale, learningRate, rest } = numbers;
        const w = from.weights;
        const wNext = to.weights;
        const e = from.slots[0]!;
        const eNext = to.slots[0]!;
        const u = from.slots[1]!;
        const uNext = to.slots[1]!;
        for (let i = begin; i < end; i++) {
          const weight = w[i]!;
          const g = gradientSum[i]! * scale + weightDecay * weight;
          const square = rho * e[i]! + rest * g * g;
          const squareUpdate = u[i]!;
          const delta = (Math.sqrt(squareUpdate + epsilon) / Math.sqrt(square + epsilon)) * g;
          eNext[i] = square;
          uNext[i] = rho * squareUpdate + rest * delta * delta;
          wNext[i] = weight - learningRate * delta;
        }
      },
    ),
  }),
});
