/** What the thread that reads a run's samples says, and is told. Samples lie in shared memory: places travel. */
import type { SentError } from '../core/sent-error.js';
import type { SampleFormat } from '../data/dataset.js';
import type { SetName } from './definition.js';

/** Which of a run's sets: steps take `train`, evaluations `test`, which may be called otherwise in the module. */
export type SetRole = 'train' | 'test';

/** A set, as far as it is known before it is read. */
export interface SetDescription {
  /** Its name in the module: `train`, `validation` or `test`. */
  readonly set: SetName;
  readonly length: number;
  readonly x: SampleFormat;
  readonly y: SampleFormat;
}

/** Of each set a SHA-256 over a few of its samples, in seed 0 and epoch 0. */
export type Probes = Readonly<Record<SetRole, string>>;

export interface DataThreadData {
  /** File of the run's module. */
  readonly path: string;
  /** What evaluations take, where it is not the set that a run would evaluate. */
  readonly evaluated?: SetName | undefined;
}

export interface Opened {
  readonly sets: Readonly<Record<SetRole, SetDescription>>;
}

export type FromDataThread = Opened | { readonly probes: Probes } | { readonly error: SentError };

/** To the thread: an engine thread that will ask for samples. */
export interface Connect {
  /** As node:worker_threads has it. */
  readonly port: unknown;
  readonly memory: SharedArrayBuffer;
  readonly seed: number;
  /** Labels are class numbers below it; absent where they are something else. */
  readonly classes?: number;
}

/** From an engine thread: samples that it wants, and where in the memory. */
export interface ReadRequest {
  readonly id: number;
  readonly role: SetRole;
  readonly epoch: number;
  readonly indices: readonly number[];
  /** In bytes. */
  readonly x: number;
  readonly y: number;
}

export interface ReadAnswer {
  readonly id: number;
  readonly error?: SentError;
}
