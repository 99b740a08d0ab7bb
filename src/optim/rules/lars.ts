/**
 * LARS (You, Gitman & Ginsburg 2017, "Large batch training of convolutional networks"): momentum whose learning rate is,
 * for each tensor, in proportion to its weights and inversely to its gradient.
 *
 *     local = trust |w| / (|g| + weightDecay |w|);  b = momentum b + lr local (g + weightDecay w);  w -= b
 *
 * local is 1 where either norm is 0. Biases and normalisation, tensors of one dimension: local = 1, no decay. The learning
 * rate is inside of b, as in the paper: a change of it does not act on what b holds.
 */
import { sumOfSquares } from '../norm.js';
import { decayRate, nonNegative, positive } from '../option.js';
import { inCalls, plain, rule } from '../rule.js';
import { callsByTensor, partsOf } from './tensors.js';

export const lars = rule({
  name: 'lars',
  about: 'momentum with lr trust |w| / (|g| + weightDecay |w|), norms a tensor; for large batches',
  options: {
    momentum: decayRate(0.9, 'Share of the last step that is repeated in the next.'),
    trust: positive(0.001, 'Length of a step with lr 1, as a share of the length of the weights.'),
    weightDecay: nonNegative(0, 'Added to the gradient, times the weight; not for biases and normalisation.'),
  },
  create: ({ momentum, trust, weightDecay }, tensors) => ({
    ...plain,
    name: 'lars',
    reads: 'tensor',
    slots: ['momentum'],
    ...inCalls(
      'lars',
      (_scalars, { learningRate, sampleCount, clipFactor }, begin, end, length) => {
        const common = { scale: clipFactor / sampleCount, learningRate, momentum, trust };
        return callsByTensor(partsOf(tensors, length, begin, end), weightDecay, common);
      },
      (from, to, gradientSum, { scale, learningRate, tensorBegin, tensorEnd, isScaled, decay }, begin, end) => {
        const w = from.weights;
        const wNext = to.weights;
        const b = from.slots[0]!;
        const bNext = to.slots[0]!;
        const weightNorm = Math.sqrt(sumOfSquares(w, tensorBegin, tensorEnd));
        const gradientNorm = Math.sqrt(sumOfSquares(gradientSum, tensorBegin, tensorEnd, scale));
        const hasRatio = isScaled && weightNorm > 0 && gradientNorm > 0;
        const local = hasRatio ? (trust * weightNorm) / (gradientNorm + decay * weightNorm) : 1;
        for (let i = begin; i < end; i++) {
          const weight = w[i]!;
          const buffer = momentum * b[i]! + learningRate * local * (gradientSum[i]! * scale + decay * weight);
          bNext[i] = buffer;
          wNext[i] = weight - buffer;
        }
      },
    ),
  }),
});
