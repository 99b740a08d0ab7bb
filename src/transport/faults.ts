import { faultsFrom, type FaultTable } from '../core/errors.js';

export const transportFaults = {
  COORDINATOR_UNREACHABLE: {
    exitCode: 3,
    meaning: 'A worker found no coordinator within --join-timeout.',
    message: (f: { address: string; seconds: number; reason: string }) =>
      `no coordinator answered at ${f.address} within ${f.seconds} s (${f.reason})`,
    remedy: 'start `lockstep coordinator` there, check --coordinator and firewalls, or raise --join-timeout',
  },
  COORDINATOR_LOST: {
    exitCode: 3,
    meaning: 'The coordinator was lost, and when nothing could go on without it, did not come back for --join-timeout.',
    message: (f: { address: string; seconds: number; reason: string }) =>
      `the coordinator at ${f.address} was lost (${f.reason}), and did not come back within ${f.seconds} s`,
    remedy:
      'while its workers wait, start the coordinator again with --restore; later, with --resume and the folder of the run, then the workers',
  },
  STATE_UNAVAILABLE: {
    exitCode: 3,
    meaning: 'A training state could not be fetched from the worker that holds it.',
    message: (f: { address: string; step: number; reason: string }) =>
      `the state after step ${f.step} could not be fetched from ${f.address}: ${f.reason}`,
    remedy: 'check that workers can reach each other at the addresses that they advertise (--advertise)',
  },
  BLOB_UNAVAILABLE: {
    exitCode: 3,
    meaning: 'Data that a worker needs could not be fetched from the coordinator.',
    message: (f: { sha256: string; reason: string }) =>
      `blob ${f.sha256.slice(0, 12)} could not be fetched: ${f.reason}`,
    remedy: 'check the connection to the coordinator and start the worker again',
  },
  FRAME_UNREADABLE: {
    exitCode: 1,
    meaning: 'A peer sent bytes that are no frame, a damaged one, or one that is not the next of its stream.',
    message: (f: { rank: number; address: string; at: string; reason: string }) =>
      `rank ${f.rank} at ${f.address} sent a frame that cannot be read, at ${f.at}: ${f.reason}`,
    remedy:
      'check that all workers run the same version of lockstep; --checksum tells damage on the way from other causes',
  },
  PEER_STALLED: {
    exitCode: 3,
    meaning: 'Another worker is alive, but reads nothing of what it is sent.',
    message: (f: { rank: number; address: string; at: string; seconds: number }) =>
      `rank ${f.rank} at ${f.address} has read nothing for ${f.seconds} s, at ${f.at}`,
    remedy: 'check the network between the workers, and whether that worker is overloaded',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(transportFaults);
