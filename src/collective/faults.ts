import { faultsFrom, type FaultTable } from '../core/errors.js';
import { describeRound, type Round } from './frame.js';

export const collectiveFaults = {
  STALE_ROUND: {
    exitCode: 1,
    meaning: 'A peer sent data of a round that is over, or of a generation that is not ours.',
    message: (f: { rank: number; seen: Round; current: string }) =>
      `rank ${f.rank} sent ${describeRound(f.seen)}, but we are at ${f.current}`,
    remedy: 'report this as a bug: the membership protocol should have made it impossible',
  },
  EXCHANGE_OVERFLOW: {
    exitCode: 1,
    meaning: 'A peer sent more than the round has room for.',
    message: (f: { rank: number; round: Round; bytes: number; limitBytes: number }) =>
      `rank ${f.rank} sent ${f.bytes} bytes for ${describeRound(f.round)}, where ${f.limitBytes} is the limit`,
    remedy: 'check that all workers run the same version of lockstep with the same spec',
  },
  ROUND_MISMATCH: {
    exitCode: 1,
    meaning: 'A peer does something else in a step than we do: another number of micro-batches, or another model.',
    message: (f: { rank: number; round: Round; what: string; expected: number; actual: number }) =>
      `rank ${f.rank} has ${f.actual} ${f.what} in ${describeRound(f.round)}, where we have ${f.expected}`,
    remedy: 'check that all workers run the same version of lockstep with the same spec',
  },
  FRAME_REFUSED: {
    exitCode: 1,
    meaning: 'A peer sent a part of a sum that has no place in the step, or that came twice.',
    message: (f: { rank: number; round: Round; reason: string }) =>
      `rank ${f.rank} sent a frame for ${describeRound(f.round)} that is refused: ${f.reason}`,
    remedy: 'check that all workers run the same version of lockstep with the same spec',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(collectiveFaults);

/** Thrown into a running round when the generation is sealed: what it had is given up, and that is no failure. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';
  constructor(readonly reason: string) {
    super(`abandoned: ${reason}`);
  }
}
