/** What can be wrong with a data set that a user's own code reads. */
import type { FaultTable } from '../core/errors.js';

export interface Where {
  /** File of the run's module. */
  readonly path: string;
  /** `train`, `validation` or `test`. */
  readonly set: string;
}

export const ownDataFaults = {
  DATASET_MALFORMED: {
    exitCode: 2,
    meaning: "What a run's module gives as a data set is none.",
    message: (f: Where & { reason: string }) => `${f.path}: data.${f.set} is no data set: ${f.reason}`,
    remedy:
      'give { length, x: { shape, dtype }, y: { shape, dtype }, read(indices) }, or what a reader of lockstep returns',
  },
  SAMPLES_MALFORMED: {
    exitCode: 2,
    meaning: 'A data set of a run returned something else than the samples that it promised.',
    message: (f: Where & { what: string; expected: string; actual: string }) =>
      `${f.path}: read of data.${f.set} returned for ${f.what} ${f.actual}, not ${f.expected}`,
    remedy:
      'let read return { x, y }, typed arrays with the values of all samples that were asked for, one behind the other',
  },
  SAMPLE_NOT_FINITE: {
    exitCode: 2,
    meaning: 'A sample of a data set has a value that is no number, or an infinite one.',
    message: (f: Where & { what: string; sample: number; value: number }) =>
      `${f.path}: ${f.what} of sample ${f.sample} of data.${f.set} has the value ${f.value}`,
    remedy: 'leave such samples out, or replace the value, in read or with map',
  },
  SAMPLE_LABEL_OUT_OF_RANGE: {
    exitCode: 2,
    meaning: 'A sample of a data set has a class that no output of the model stands for.',
    message: (f: Where & { sample: number; label: number; classes: number }) =>
      `${f.path}: sample ${f.sample} of data.${f.set} is of class ${f.label}, the model knows 0 to ${f.classes - 1}`,
    remedy: 'number the classes from 0, or give the last layer as many outputs as there are classes',
  },
  DATASET_READ_FAILED: {
    exitCode: 1,
    meaning: 'The code that reads the samples of a run failed.',
    message: (f: Where & { samples: string; reason: string }) =>
      `${f.path}: read of data.${f.set} failed at ${f.samples}: ${f.reason}`,
    remedy: 'mend read so that it returns the samples of any indices from 0 to length - 1',
  },
  DATASET_READ_HUNG: {
    exitCode: 1,
    meaning: 'The code that reads the samples of a run did not return.',
    message: (f: Where & { samples: string; seconds: number }) =>
      `${f.path}: read of data.${f.set} has not returned ${f.samples} after ${f.seconds} s`,
    remedy: 'find out what read waits for, or give it more time: readTimeoutSeconds in defineRun',
  },
  READER_INPUT: {
    exitCode: 2,
    meaning: 'A file, or an array, cannot be read as a data set.',
    message: (f: { path: string; reason: string }) => `${f.path}: ${f.reason}`,
    remedy: 'mend the file, or tell the reader what is in it',
  },
} as const satisfies FaultTable;
