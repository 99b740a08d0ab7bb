import { faultsFrom, type FaultTable } from '../core/errors.js';

export const workerFaults = {
  PEER_GONE: {
    exitCode: 3,
    meaning: 'The stream from another worker broke, and the coordinator did not change the membership.',
    message: (f: { rank: number; address: string; step: number; waitedSeconds: number; reason: string }) =>
      `rank ${f.rank} at ${f.address} sends nothing any more after step ${f.step} (${f.reason}); waited ${f.waitedSeconds} s`,
    remedy: 'check that workers can reach each other at the addresses that they advertise (--advertise)',
  },
  ENGINE_HUNG: {
    exitCode: 3,
    meaning: 'The engine of a worker did not finish its part of a step; the others go on without this worker.',
    message: (f: {
      engine: string;
      phase: string;
      rank: number;
      host: string;
      step: number;
      first: number;
      end: number;
      seconds: number;
    }) =>
      `engine ${f.engine} of rank ${f.rank} on ${f.host} hangs in ${f.phase} of step ${f.step}: no answer for ${f.seconds} s (micro-batches ${f.first} to ${f.end - 1})`,
    remedy: 'start the worker again; if it happens again, try another --engine and check that machine',
  },
  OTHER_RUN: {
    exitCode: 3,
    meaning: 'When a worker found its coordinator again, another run was led there.',
    message: (f: { address: string; runId: string; other: string }) =>
      `the coordinator at ${f.address} leads run ${f.other} now, not ${f.runId}`,
    remedy: 'the run of this worker was ended or is led elsewhere; start the worker again to join the new one',
  },
  STATE_MISMATCH: {
    exitCode: 1,
    meaning: 'A training state that a worker pulled does not fit its model or optimizer.',
    message: (f: { vector: string; expected: number; actual: number }) =>
      `the state that was pulled has ${f.actual} floats in ${f.vector}, not ${f.expected}`,
    remedy: 'run all workers with the same version of lockstep',
  },
  CHECKPOINT_INCOMPLETE: {
    exitCode: 3,
    meaning: 'The checkpoint from which a run goes on did not arrive whole at a worker.',
    message: (f: { bytes: number; expected: number }) =>
      `the coordinator sent ${f.bytes} bytes of the checkpoint, not ${f.expected}`,
    remedy: 'start the run again with --resume; check that nothing else writes to its checkpoints/ folder',
  },
  NOT_FINITE: {
    exitCode: 1,
    meaning: 'Loss or gradient were not finite for so many steps in a row that the run cannot recover by itself.',
    message: (f: { step: number; what: string; inARow: number; where: string }) =>
      `step ${f.step} was skipped, number ${f.inARow} in a row: ${f.what} is not finite (${f.where})`,
    remedy:
      'lower --lr, add --warmup-steps or --clip-norm, or raise --max-skipped; the weights before are in checkpoints/',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(workerFaults);
