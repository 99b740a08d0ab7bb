/** Adagrad (Duchi et al. 2011), as PyTorch's without its lr_decay: a += g^2; w -= lr g / (sqrt(a) + epsilon). */
import { l2WeightDecay, nonNegative } from '../option.js';
import { inOneCall, plain, rule } from '../rule.js';

export const adagrad = rule({
  name: 'adagrad',
  about: 'a: sum of g^2; w -= lr g / (sqrt(a) + epsilon)',
  options: {
    epsilon: nonNegative(1e-10, 'Added to the root of the sum of squares, outside the root.'),
    weightDecay: l2WeightDecay,
  },
  create: ({ epsilon, weightDecay }) => ({
    ...plain,
    name: 'adagrad',
    slots: ['squareSum'],
    ...inOneCall(
      'adagrad',
      (scale, { learningRate }) => ({ scale, learningRate, epsilon, weightDecay }),
      (from, to, gradientSum, numbers, begin, end) => {
        const { scale, learningRate } = numbers;
        const w = from.weights;
        const wNext = to.weights;
        const a = from.slots[0]!;
        const aNext = to.slots[0]!;
        for (let i = begin; i < end; i++) {
          const weight = w[i]!;
          const g = gradientSum[i]! * scale + weightDecay * weight;
          const squareSum = a[i]! + g * g;
          aNext[i] = squareSum;
          wNext[i] = weight - (learningRate * g) / (Math.sqrt(squareSum) + epsilon);
        }
      },
    ),
  }),
});
