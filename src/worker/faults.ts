import { faultsFrom, type FaultTable } from '../core/errors.js';

export const workerFaults = {
  PEER_GONE: {
    exitCode: 3,
    meaning: 'The stream from another worker broke, and the coordinator did not change the membership.',
    message: (f: { rank: number; address: string; step: number; waitedSeconds: number; reason: string }) =>
      `rank ${f.rank} at ${f.address} sends nothing any more after step ${f.step} (${f.reason}); waited ${f.waitedSeconds} s`,
    remedy: 'check that workers can reach each other at the addresses that they advertise (--advertise)',
  },
  STATE_MISMATCH: {
    exitCode: 1,
    meaning: 'A training state that a worker pulled does not fit its model or optimizer.',
    message: (f: { vector: string; expected: number; actual: number }) =>
      `the state that was pulled has ${f.actual} floats in ${f.vector}, not ${f.expected}`,
    remedy: 'run all workers with the same version of lockstep',
  },
  WORKER_STOPPED: {
    exitCode: 130,
    meaning: 'A worker was asked to end while its run went on.',
    message: (f: { name: string }) => `worker ${f.name} was stopped before its run was over`,
    remedy: 'to end a run with its state saved, stop its coordinator instead',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(workerFaults);
