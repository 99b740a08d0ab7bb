import { faultsFrom, type FaultTable } from '../core/errors.js';
import { didYouMean } from '../core/nearest.js';

export const optimFaults = {
  UNKNOWN_OPTIMIZER: {
    exitCode: 2,
    meaning: 'There is no update rule of that name.',
    message: (f: { optimizer: string; known: readonly string[] }) =>
      `unknown optimizer ${f.optimizer}${didYouMean(f.optimizer, f.known) || `: it is one of ${f.known.join(', ')}`}`,
    remedy: 'choose one of the rules that --help lists under --optimizer',
  },
  UNKNOWN_OPTIMIZER_OPTION: {
    exitCode: 2,
    meaning: 'The update rule has no option of that name.',
    message: (f: { optimizer: string; option: string; known: readonly string[] }) =>
      `optimizer ${f.optimizer} has no option ${f.option}${didYouMean(f.option, f.known) || `: it takes ${f.known.join(', ')}`}`,
    remedy: 'leave the option out, or choose a rule that has it',
  },
  INVALID_OPTIMIZER_OPTION: {
    exitCode: 2,
    meaning: 'The value of an option of the update rule is out of its range.',
    message: (f: { optimizer: string; option: string; value: unknown; expects: string }) =>
      `${f.option}=${String(f.value)} of optimizer ${f.optimizer} must be ${f.expects}`,
    remedy: 'give a value in that range, or leave the option out to take its default',
  },
  SCALING_DOES_NOT_FIT: {
    exitCode: 2,
    meaning: 'A rule that scales the learning rate with the batch says nothing about this optimizer.',
    message: (f: { rule: string; optimizer: string }) =>
      `--lr-scaling ${f.rule} does not fit ${f.optimizer}, whose steps do not have the length of its learning rate`,
    remedy: 'use --lr-scaling none or auto, or another optimizer',
  },
  INVALID_SCHEDULE: {
    exitCode: 2,
    meaning: 'A schedule, of the learning rate or of the batch, is not written as it should be.',
    message: (f: { schedule: string; reason: string }) => `schedule ${f.schedule}: ${f.reason}`,
    remedy:
      'write constant, cosine, one-cycle or step:every=2epochs,factor=0.5; for --batch-growth every=2epochs,factor=2',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(optimFaults);
