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
} as const satisfies FaultTable;

export const fault = faultsFrom(launchFaults);
