import { field, runCommands as run } from './field.js';
import { count, oneOf, positive, wholeNumber } from './values.js';

/** Options about the learning rate of batches of other sizes. */
export const scalingFields = {
  warmupSteps: field('warmup-steps', wholeNumber(0), {
    group: 'Optimizer',
    commands: run,
    placeholder: 'STEPS',
    otherwise: 'none; part of the first epoch where --lr-scaling raises the rate',
    about: 'Steps over which the learning rate rises linearly to its full value.',
  }),
  learningRateScaling: field('lr-scaling', oneOf(['none', 'linear', 'sqrt', 'auto']), {
    group: 'Optimizer',
    commands: run,
    placeholder: 'none|linear|sqrt|auto',
    default: 'none',
    about:
      'What the learning rate, found for --base-batch, becomes for the batch of the run, k times as large: `linear`: times k, for gradient descent; `sqrt`: times the root of k, with betas to the power of k and epsilon over the root, for Adam and RMSprop; `auto`: what fits the optimizer.',
  }),
  baseBatchSize: field('base-batch', count, {
    group: 'Optimizer',
    commands: run,
    placeholder: 'B',
    default: 256,
    about: 'Batch size for which --lr and the options of the optimizer were found. Only --lr-scaling looks at it.',
  }),
  learningRateMax: field('lr-max', positive, {
    group: 'Optimizer',
    commands: run,
    placeholder: 'RATE',
    otherwise: 'no bound',
    about:
      'Largest learning rate that --lr-scaling gives. How large one can be is a matter of curvature, not of the batch: beyond the batch that has it, larger ones learn with the same.',
  }),
} as const;
