import { field, runCommands as run } from './field.js';
import { count, powerOfTwo } from './values.js';

/** Options about numbers that are not finite. */
export const notFiniteFields = {
  maxSkippedSteps: field('max-skipped', count, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'N',
    default: 10,
    mayChange: true,
    about:
      'A step whose loss or gradient is not finite is skipped: no weight changes. After so many in a row the run fails, as nothing would ever change again.',
  }),
  lossScale: field('loss-scale', powerOfTwo(126), {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'S',
    otherwise: 'the loss is not scaled',
    about:
      'Multiplies the loss by this power of two before gradients are taken, and gradients by its inverse afterwards, so that small ones do not vanish on the way. Halved after each step that is not finite, which counts for --max-skipped only at 1; doubled again after 2000 finite ones. Engines native, wasm, cpu and tensorflow.',
  }),
} as const;
