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
} as const satisfies FaultTable;

export const fault = faultsFrom(collectiveFaults);

/** Thrown into a running round when the generation is sealed: what it had is given up, and that is no failure. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';
  constructor(readonly reason: string) {
    super(`abandoned: ${reason}`);
  }
}
