import { faultsFrom, type FaultTable } from '../core/errors.js';

export const launchFaults = {
  COORDINATOR_ENDED: {
    exitCode: 3,
    meaning:
      'The process of the coordinator was ended from outside, so that it could not say why: before the run had begun, or more often than it is started again.',
    message: (f: { signal: string }) =>
      `the coordinator's process was ended by ${f.signal}; its workers were ended too`,
    remedy:
      '`lockstep train --resume DIR` goes on from the newest checkpoint; if nobody ended it on purpose, look for memory running out in the log of the system',
  },
  CORES_TOO_FEW: {
    exitCode: 2,
    meaning: 'With `--bind-to core` each worker gets cores of its own, and there are more workers than cores.',
    message: (f: { workers: number; cores: number }) =>
      `--bind-to core: there are ${f.workers} workers and ${f.cores} cores`,
    remedy: 'start fewer workers, or leave --bind-to at none',
  },
  BINDING_UNAVAILABLE: {
    exitCode: 2,
    meaning: '`--bind-to core` needs Linux and its program `taskset`.',
    message: (f: { reason: string }) => `--bind-to core cannot be had: ${f.reason}`,
    remedy: 'leave --bind-to at none: the result is the same',
  },
  PROGRAM_MISSING: {
    exitCode: 1,
    meaning: 'A program that lockstep does not bring along is not installed.',
    message: (f: { program: string }) => `${f.program} is not installed`,
    remedy: 'install it (Debian, Ubuntu: `apt install prometheus prometheus-alertmanager`), or put it into the PATH',
  },
  PROGRAM_FAILED: {
    exitCode: 1,
    meaning: 'A program that lockstep started ended at once, or never became ready.',
    message: (f: { program: string; reason: string }) => `${f.program} does not run: ${f.reason}`,
    remedy: 'if its port is in use, choose another one with --port',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(launchFaults);
