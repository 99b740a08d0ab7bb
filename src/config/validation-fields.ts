import { field, runCommands as run } from './field.js';
import { count } from './values.js';

export const validationFields = {
  validationLength: field('validation', count, {
    group: 'Model and data',
    commands: run,
    placeholder: 'N',
    otherwise: 'evaluations look at the test set',
    about:
      'Holds the last N training samples out of training and evaluates these in place of the test set, so that targets and the choice of the best weights leave the test set unseen; `lockstep evaluate` looks at it in the end.',
  }),
} as const;
