import { field, runCommands as run } from './field.js';
import { count, text } from './values.js';

/** Batches that change while a run goes on, whatever its workers do. */
export const growthFields = {
  batchMin: field('batch-min', count, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'B',
    default: 64,
    about: 'Where `--global-batch auto` begins, and what it never goes below.',
  }),
  batchMax: field('batch-max', count, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'B',
    default: 4096,
    about: 'What `--global-batch auto` and `--batch-growth` never go above.',
  }),
  batchGrowth: field('batch-growth', text, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'every=E,factor=F',
    otherwise: 'the batch stays',
    about:
      'The batch grows times `factor` after each `every`, in epochs or samples, where others lower the learning rate: the same curve against epochs in fewer steps (Smith et al. 2018). The learning rate stays; with a number for --global-batch.',
  }),
} as const;
