/**
 * Rprop (Riedmiller & Braun 1993), as PyTorch's: each weight has a step of its own, which grows while its gradient keeps
 * its sign and shrinks when the sign flips; then that step is left out.
 *
 *     s = sign(g gPrevious);  step *= etaPlus if s > 0, etaMinus if s < 0, within [stepMin, stepMax]
 *     s < 0:  w stays, gPrevious = 0;  otherwise  w -= sign(g) step, gPrevious = g
 *
 * For the full batch only: the signs of mini-batch gradients are noise, and the steps cancel or run away. The learning
 * rate is the first step; schedules and clipping have nothing to act on.
 */
import { number, positive } from '../option.js';
import { inOneCall, plain, rule } from '../rule.js';

export const rprop = rule({
  name: 'rprop',
  about: 'a step of its own for each weight, grown and shrunk by the signs of g; full batch only; lr is the first step',
  options: {
    etaMinus: number(
      0.5,
      'Factor of the step after a flip of sign.',
      'a number above 0 and below 1',
      (v) => v > 0 && v < 1,
    ),
    etaPlus: number(1.2, 'Factor of the step while the sign stays.', 'a number above 1', (v) => v > 1),
    stepMin: positive(1e-6, 'Smallest step.'),
    stepMax: positive(50, 'Largest step.'),
  },
  conflict: ({ stepMin, stepMax }) =>
    stepMin > stepMax ? { option: 'stepMin', expects: `at most stepMax, which is ${stepMax}` } : undefined,
  create: ({ etaMinus, etaPlus, stepMin, stepMax }) => ({
    ...plain,
    name: 'rprop',
    slots: ['previousGradient', 'stepSize'],
    initialSlotValue: (slot, learningRate) => (slot === 'stepSize' ? learningRate : 0),
    ...inOneCall(
      'rprop',
      (scale) => ({ scale, etaMinus, etaPlus, stepMin, stepMax }),
      (from, to, gradientSum, { scale }, begin, end) => {
        const w = from.weights;
        const wNext = to.weights;
        const previous = from.slots[0]!;
        const previousNext = to.slots[0]!;
        const steps = from.slots[1]!;
        const stepsNext = to.slots[1]!;
        for (let i = begin; i < end; i++) {
          let g = gradientSum[i]! * scale;
          const agreement = g * previous[i]!;
          let step = steps[i]!;
          if (agreement > 0) {
            step *= etaPlus;
          } else if (agreement < 0) {
            step *= etaMinus;
            g = 0;
          }
          if (step < stepMin) step = stepMin;
          else if (step > stepMax) step = stepMax;
          const direction = g > 0 ? 1 : g < 0 ? -1 : g; //          0 stays 0, NaN stays NaN
          previousNext[i] = g;
          stepsNext[i] = step;
          wNext[i] = w[i]! - direction * step;
        }
      },
    ),
  }),
});
