import { faultsFrom, type FaultTable } from '../core/errors.js';

export const labFaults = {
  GRID_VALUE: {
    exitCode: 2,
    meaning: 'A list of values for a sweep has an empty place.',
    message: (f: { flag: string; given: string }) => `--${f.flag} ${f.given}: a value is missing between the commas`,
    remedy: 'write values with single commas between them: --global-batch 64,256,1024',
  },
  GRID_TOO_LARGE: {
    exitCode: 2,
    meaning: 'The grid of a sweep has more trials than anybody waits for.',
    message: (f: { trials: number; most: number }) => `this grid has ${f.trials} trials, and ${f.most} are the most`,
    remedy: 'give fewer values, or sweep one thing after the other',
  },
  TARGET_INVALID: {
    exitCode: 2,
    meaning: 'A target accuracy of a sweep is no share.',
    message: (f: { given: string }) => `--target-accuracy ${f.given}: expected numbers above 0, at most 1`,
    remedy: 'write shares with commas between them: --target-accuracy 0.97,0.98,0.99',
  },
  TRIAL_WITHOUT_ACCURACY: {
    exitCode: 2,
    meaning:
      'A sweep, a plan or a search is to compare runs that have no accuracy, since their loss knows no correct answer.',
    message: (f: { model: string; loss: string }) =>
      `model ${f.model} has no accuracy to compare trials by: with the loss ${f.loss} its answers are compared with values and not with classes`,
    remedy: 'run `lockstep train` with each choice, and compare bestTestLoss in their report.json',
  },
  SPACE_INVALID: {
    exitCode: 2,
    meaning: 'What a search may choose is not written as it should be, or is nothing that it can choose.',
    message: (f: { given: string }) =>
      `--space ${f.given}: expected NAME=LOW..HIGH with an option of train or of the update rule`,
    remedy: 'write lr=0.001..1:log, momentum=0..0.99 or global-batch=32..512:log,step=32',
  },
  PLAN_UNREADABLE: {
    exitCode: 2,
    meaning: 'A file that a plan is to be read from or compared with is not what it should be.',
    message: (f: { path: string; reason: string }) => `${f.path}: ${f.reason}`,
    remedy: 'give --from a file that `lockstep plan --out` wrote, and --compare the folder of a run that has ended',
  },
  LAB_FOLDER: {
    exitCode: 2,
    meaning: 'The folder of --out holds something else than the trials of a sweep or search.',
    message: (f: { path: string; reason: string }) => `${f.path}: ${f.reason}`,
    remedy: 'choose another --out; the same command with the same --out goes on where it stopped',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(labFaults);
