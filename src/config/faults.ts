/** What can be wrong with a configuration. All of these are usage errors: nothing has been started. */

import { faultsFrom, type FaultKind, type FaultTable } from '../core/errors.js';

export const configFaults = {
  UNKNOWN_FLAG: {
    exitCode: 2,
    meaning: 'A flag that no lockstep command has.',
    message: ({ flag, hint }) => `unknown flag ${flag}${hint}`,
    remedy: '`lockstep help COMMAND` lists the flags of a command',
  } satisfies FaultKind<{ flag: string; hint: string }>,
  FLAG_OF_ANOTHER_COMMAND: {
    exitCode: 2,
    meaning: 'A flag that belongs to another lockstep command.',
    message: ({ flag, command, owners }) =>
      `lockstep ${command} has no ${flag}: it belongs to ${owners.map((c) => `lockstep ${c}`).join(' and ')}`,
    remedy: 'give it there: a worker learns from its coordinator what to compute',
  } satisfies FaultKind<{ flag: string; command: string; owners: readonly string[] }>,
  UNKNOWN_KEY: {
    exitCode: 2,
    meaning: 'A key of the configuration file that no option has.',
    message: ({ key, file, hint }) => `unknown key ${key} in ${file}${hint}`,
    remedy: 'correct or remove the key; docs/configuration.md lists them all',
  } satisfies FaultKind<{ key: string; file: string; hint: string }>,
  UNKNOWN_VARIABLE: {
    exitCode: 2,
    meaning: 'An environment variable that begins with LOCKSTEP_ and belongs to no option.',
    message: ({ name, hint }) => `unknown environment variable ${name}${hint}`,
    remedy: 'correct or unset the variable; docs/configuration.md lists them all',
  } satisfies FaultKind<{ name: string; hint: string }>,
  BAD_VALUE: {
    exitCode: 2,
    meaning: 'A value that its option does not take.',
    message: ({ given, expects, hint }) => `${given}: expected ${expects}${hint}`,
    remedy: 'change the value; `lockstep help COMMAND` says what each option means',
  } satisfies FaultKind<{ given: string; expects: string; hint: string }>,
  MISSING_VALUE: {
    exitCode: 2,
    meaning: 'A flag without its value, or an option that has no default and was not given.',
    message: ({ flag, placeholder }) => `${flag} ${placeholder} is missing`,
    remedy: 'add it; `lockstep help COMMAND` shows what it looks like',
  } satisfies FaultKind<{ flag: string; placeholder: string }>,
  GIVEN_TWICE: {
    exitCode: 2,
    meaning: 'A key that the same configuration file gives under two spellings.',
    message: ({ file, first, second }) => `${file} gives both ${first} and ${second}, which are one option`,
    remedy: 'remove one of them',
  } satisfies FaultKind<{ file: string; first: string; second: string }>,
  EXCLUSIVE_OPTIONS: {
    exitCode: 2,
    meaning: 'Two options of which only one can be in force.',
    message: ({ first, second }) => `${first} and ${second} exclude each other`,
    remedy: 'give only one of them',
  } satisfies FaultKind<{ first: string; second: string }>,
  BATCH_NOT_MULTIPLE: {
    exitCode: 2,
    meaning: 'The batch cannot be cut into micro-batches of the size that was given.',
    message: ({ batch, microBatch, divisor }) =>
      `${batch} is not a multiple of ${microBatch}; --micro-batch ${divisor} would do`,
    remedy: 'choose a micro-batch that divides the batch, or leave --micro-batch out',
  } satisfies FaultKind<{ batch: string; microBatch: string; divisor: number }>,
  RESUME_NO_RUN: {
    exitCode: 2,
    meaning: 'The folder of --resume or --replay is not that of a run.',
    message: ({ given, reason }) => `${given} names no run: ${reason}`,
    remedy: 'give the folder of a run, the one with its spec.json',
  } satisfies FaultKind<{ given: string; reason: string }>,
  RESUME_DIFFERS: {
    exitCode: 2,
    meaning: 'A resumed run was given an option that would make it another run.',
    message: ({ given, was }) => `${given} would change the run that is resumed, which has ${was}`,
    remedy: 'leave the option out; to try another value, start a new run from the weights with --init',
  } satisfies FaultKind<{ given: string; was: string }>,
  RPROP_NEEDS_FULL_BATCH: {
    exitCode: 2,
    meaning:
      'Rprop looks only at the signs of gradients, which is right for the whole training set but not for mini-batches.',
    message: ({ optimizer, batch }) =>
      `${optimizer} does not work with mini-batches (${batch}): nine gradients of +0.1 and one of -0.9 should cancel, Rprop takes nine steps against one`,
    remedy: 'add --global-batch full, or use --optimizer rmsprop, which is Rprop made for mini-batches',
  } satisfies FaultKind<{ optimizer: string; batch: string }>,
  LOCAL_STEPS_NEED_FIXED_BATCH: {
    exitCode: 2,
    meaning:
      'Between two exchanges batches cannot change: nobody knows of the workers, or of the gradient, what decides it.',
    message: ({ syncEvery, batch }) => `${syncEvery} does not go with ${batch}, with which batches change`,
    remedy: 'give the batch as a number with --global-batch, or exchange every batch',
  } satisfies FaultKind<{ syncEvery: string; batch: string }>,
  BATCH_BOUNDS: {
    exitCode: 2,
    meaning: 'The smallest batch is larger than the largest one.',
    message: ({ least, most }) => `${least} is above ${most}`,
    remedy: 'lower --batch-min or raise --batch-max',
  } satisfies FaultKind<{ least: string; most: string }>,
  GROWTH_NEEDS_NUMBER: {
    exitCode: 2,
    meaning: 'A batch that follows something else cannot grow by a schedule too.',
    message: ({ growth, batch }) => `${growth} does not go with ${batch}`,
    remedy: 'give the first batch as a number with --global-batch, or leave out --batch-growth',
  } satisfies FaultKind<{ growth: string; batch: string }>,
  LOCAL_STEPS_UNSCALED: {
    exitCode: 2,
    meaning: 'Workers that train on their own between two exchanges do not scale the loss.',
    message: ({ syncEvery, lossScale }) => `${lossScale} does not go with ${syncEvery}`,
    remedy: 'leave one of the two out',
  } satisfies FaultKind<{ syncEvery: string; lossScale: string }>,
  WORKERS_UNCOUNTED: {
    exitCode: 2,
    meaning: 'A coordinator cannot see how many GPUs there are on the machines of its workers.',
    message: (f: { workers: string }) => `${f.workers} is for lockstep train, which starts the workers itself`,
    remedy: 'say with --workers N for how many workers the coordinator has to wait',
  },
  MAIN_THREAD_IS_ONE: {
    exitCode: 2,
    meaning: 'A worker has one main thread, and several threads were to compute in it.',
    message: (f: { engineThread: string; threads: string }) => `${f.engineThread} does not go with ${f.threads}`,
    remedy: 'leave one of the two out: several threads are always beside the main one',
  },
  RESTORE_WITHOUT_OUT: {
    exitCode: 2,
    meaning: 'A run is to be taken over, but not said which.',
    message: (f: { restore: string }) => `${f.restore} needs the folder of the run`,
    remedy: 'name it with --out DIR; to go on from a checkpoint after all workers have ended, use --resume DIR',
  },
  NATS_INCOMPLETE: {
    exitCode: 2,
    meaning: 'Of the options that belong together for a run in NATS one is missing.',
    message: (f: { given: string; missing: string }) => `${f.given} needs ${f.missing}`,
    remedy: 'give --nats URL and --run NAME together; --standby goes with both',
  },
  CONFIG_UNREADABLE: {
    exitCode: 2,
    meaning: 'The configuration file is missing, not readable, or not valid YAML.',
    message: ({ file, reason }) => `cannot read the configuration ${file}: ${reason}`,
    remedy: 'correct the path or the file; docs/configuration.md has an example',
  } satisfies FaultKind<{ file: string; reason: string }>,
  CONFIG_FORMAT: {
    exitCode: 2,
    meaning: 'The configuration file was written by a version of lockstep whose format this one does not know.',
    message: ({ file, version }) => `${file} has format version ${version}; this lockstep reads version 1`,
    remedy: 'use the version of lockstep that wrote it, or remove the key formatVersion and check the rest by hand',
  } satisfies FaultKind<{ file: string; version: string }>,
} as const satisfies FaultTable;

export const fault = faultsFrom(configFaults);
