/**
 * Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019), as PyTorch's:
 *
 *     m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
 *     w -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
 *
 * Adam adds weightDecay * w to g; AdamW first takes w *= 1 - lr * weightDecay, which is another rule. With amsgrad (Reddi
 * et al. 2018) the largest v so far takes the place of v.
 */
import type { Optimizer, OptimizerScalars, StepFactors } from '../optimizer.js';
import { decayRate, l2WeightDecay, nonNegative, toggle } from '../option.js';
import { inOneCall, rule } from '../rule.js';

const options = {
  beta1: decayRate(0.9, 'Share of the past in the running average of the gradient.'),
  beta2: decayRate(0.999, 'Share of the past in the running average of the squared gradient.'),
  epsilon: nonNegative(1e-8, 'Added to the root of the squared gradient, outside the root.'),
  amsgrad: toggle('Divide by the largest running average of the squared gradient so far.'),
};

interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly amsgrad: boolean;
  /** Of Adam: added to the gradient. */
  readonly l2: number;
  /** Of AdamW: taken from the weight. */
  readonly decoupledDecay: number;
}

function adamOptimizer(name: string, settings: AdamSettings): Optimizer {
  const { beta1, beta2, epsilon, amsgrad, l2, decoupledDecay } = settings;
  const rest1 = 1 - beta1;
  const rest2 = 1 - beta2;
  const numbersOf = (scale: number, { learningRate }: StepFactors, scalars: OptimizerScalars) => ({
    scale,
    ...{ stepSize: learningRate / (1 - scalars['beta1Power']!), rootCorrection: Math.sqrt(1 - scalars['beta2Power']!) },
    ...{ kept: 1 - learningRate * decoupledDecay, beta1, rest1, beta2, rest2, epsilon, l2, amsgrad: Number(amsgrad) },
  });
  return {
    name,
    reads: 'element',
    slots: amsgrad ? ['mean', 'square', 'largestSquare'] : ['mean', 'square'],
    initialSlotValue: () => 0,
    initialScalars: { beta1Power: 1, beta2Power: 1 },
    advance: ({ beta1Power, beta2Power }: OptimizerScalars) => ({
      beta1Power: beta1Power! * beta1, //                         by multiplication: pow is not the same everywhere
      beta2Power: beta2Power! * beta2,
    }),
    ...inOneCall('adam', numbersOf, (from, to, gradientSum, numbers, begin, end) => {
      const { scale, stepSize, rootCorrection, kept } = numbers;
      const w = from.weights;
      const wNext = to.weights;
      const m = from.slots[0]!;
      const mNext = to.slots[0]!;
      const v = from.slots[1]!;
      const vNext = to.slots[1]!;
      const largest = amsgrad ? from.slots[2]! : v;
      const largestNext = amsgrad ? to.slots[2]! : vNext;
      for (let i = begin; i < end; i++) {
        const weight = w[i]!;
        const g = gradientSum[i]! * scale + l2 * weight;
        const mean = beta1 * m[i]! + rest1 * g;
        let square = beta2 * v[i]! + rest2 * g * g;
        mNext[i] = mean;
        vNext[i] = square;
        if (amsgrad) {
          const before = largest[i]!;
          if (before > square) square = before; //                a NaN square stays
          largestNext[i] = square;
        }
        wNext[i] = weight * kept - (stepSize * mean) / (Math.sqrt(square) / rootCorrection + epsilon);
      }
    }),
  };
}

export const adam = rule({
  name: 'adam',
  about: 'm, v: running averages of g and g^2, bias corrected; w -= lr m / (sqrt(v) + epsilon)',
  options: { ...options, weightDecay: l2WeightDecay },
  create: ({ weightDecay, ...o }) => adamOptimizer('adam', { ...o, l2: weightDecay, decoupledDecay: 0 }),
});

export const adamw = rule({
  name: 'adamw',
  about: 'as adam, but w *= 1 - lr weightDecay instead of weightDecay w in the gradient',
  options: {
    ...options,
    weightDecay: nonNegative(0.01, 'Decoupled: each step takes lr * weightDecay of every weight.'),
  },
  create: ({ weightDecay, ...o }) => adamOptimizer('adamw', { ...o, l2: 0, decoupledDecay: weightDecay }),
});
