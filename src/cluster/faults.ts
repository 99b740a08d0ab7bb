import { faultsFrom, type FaultTable } from '../core/errors.js';

export const clusterFaults = {
  WORKER_LOST: {
    exitCode: 3,
    meaning: 'A worker of the running generation was lost, and too few are left to go on.',
    message: (f: { workerId: string; reason: string; step: number; left: number; needed: number }) =>
      `worker ${f.workerId} was lost after step ${f.step} (${f.reason}); ${f.left} of ${f.needed} workers are left`,
    remedy: "see the worker's log in the run's logs/ folder for why it ended, then start the run again",
  },
  NO_STATE_LEFT: {
    exitCode: 3,
    meaning: 'No worker that is left holds the training state.',
    message: (f: { workers: number }) => `none of the ${f.workers} workers that are left holds the training state`,
    remedy: 'start the run again',
  },
  WEIGHTS_DIFFER: {
    exitCode: 1,
    meaning: 'Workers ended the same step with different weights.',
    message: (f: { step: number; digests: readonly string[] }) =>
      `workers hold different weights after step ${f.step}: ${f.digests.map((d) => d.slice(0, 12)).join(', ')}`,
    remedy:
      'run all workers with the same version and the same deterministic engine; if they are, report this as a bug',
  },
  JOURNAL_FAILED: {
    exitCode: 1,
    meaning: "The run's journal could not be written, so that membership may not change.",
    message: (f: { reason: string }) => `the journal of the run cannot be written: ${f.reason}`,
    remedy: 'free space or fix permissions in the run folder, then start the run again',
  },
  DEPOSED: {
    exitCode: 1,
    meaning: 'Another coordinator of the same run has taken over.',
    message: (f: { term: number; newerTerm: number }) =>
      `this coordinator (term ${f.term}) was replaced by another one of the same run (term ${f.newerTerm})`,
    remedy: 'nothing, if that was meant; the run goes on there',
  },
  INTERRUPTED: {
    exitCode: 130,
    meaning: 'The run was stopped before its first step.',
    message: (f: { joined: number; needed: number }) =>
      `stopped while ${f.joined} of ${f.needed} workers had joined; nothing was trained`,
    remedy: 'start it again when you want it',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(clusterFaults);
