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
  NATS_UNREACHABLE: {
    exitCode: 3,
    meaning: 'No NATS server answered when a program was started that needs one.',
    message: (f: { url: string; reason: string }) => `no NATS server answers at ${f.url} (${f.reason})`,
    remedy: 'start `nats-server -js` there, or check --nats and firewalls',
  },
  NATS_REFUSED: {
    exitCode: 2,
    meaning: 'The NATS server does not let us in.',
    message: (f: { url: string; reason: string }) => `the NATS server at ${f.url} refuses us (${f.reason})`,
    remedy: 'give --nats-creds FILE with what its administrator made for lockstep',
  },
  NATS_ACCESS_UNREADABLE: {
    exitCode: 2,
    meaning: 'A file with credentials or the authority of a NATS server cannot be used.',
    message: (f: { path: string; reason: string }) => `${f.path} cannot be used for NATS: ${f.reason}`,
    remedy: 'check --nats-creds and --nats-ca: docs/launch.md',
  },
  NATS_SILENT: {
    exitCode: 3,
    meaning:
      'NATS was out of reach for --join-timeout while the membership of a run had to change, or a worker looked for its coordinator.',
    message: (f: { seconds: number; reason: string }) => `NATS has not answered for ${f.seconds} s (${f.reason})`,
    remedy: 'bring the NATS server back, then start this program again with the same --nats and --run',
  },
  AGENT_SILENT: {
    exitCode: 3,
    meaning: 'The agent that has the results of a run does not hand them out.',
    message: (f: { agent: string; reason: string }) => `agent ${f.agent} does not hand out the results (${f.reason})`,
    remedy:
      'start `lockstep agent` on its host again, with the same --name and --dir, or copy runs/RUN.out from its folder',
  },
  JOURNAL_TAKEN: {
    exitCode: 3,
    meaning: "Another coordinator has written into the run's journal in NATS, so that this one may not act any more.",
    message: (f: { run: string; writer: string }) => `run ${f.run} is led by another coordinator (${f.writer})`,
    remedy: 'nothing, if that was meant; the run goes on there',
  },
  RUN_LED: {
    exitCode: 2,
    meaning: 'A coordinator was started for a run that has one.',
    message: (f: { run: string; holder: string; address: string }) =>
      `run ${f.run} is led by ${f.holder}${f.address === '' ? '' : ` at ${f.address}`}`,
    remedy: 'give another --run, or add --standby to take over when that one is gone',
  },
  RUN_NOT_LED: {
    exitCode: 3,
    meaning: 'NATS knew no coordinator of the run within --join-timeout.',
    message: (f: { run: string; seconds: number }) => `NATS knew no coordinator of run ${f.run} for ${f.seconds} s`,
    remedy: 'start `lockstep coordinator` with the same --nats and --run, or raise --join-timeout',
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
