import { faultsFrom, type FaultTable } from '../core/errors.js';

export const measureFaults = {
  BENCH_PARTICIPANT_FAILED: {
    exitCode: 1,
    meaning: 'One of the processes of a measurement gave up.',
    message: (f: { reason: string }) => `a participant of the measurement gave up: ${f.reason}`,
    remedy: 'check that the others are there and reachable, and run the measurement again',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(measureFaults);
