import { figuresOf, median, type ExchangeFigures } from './exchange-figures.js';
import type { ExchangeTask, ExchangeTimes } from './exchange-participant.js';
import type { LossyCodec } from '../core/run-spec.js';
import type { Topology } from '../collective/owner-map.js';

/** From here on a vector is large: few calls tell enough. */
const largeFloats = 2e6;

export interface BenchmarkOptions {
  readonly workers: number;
  readonly floats: readonly number[];
  readonly topologies: readonly (Topology | 'auto')[];
  readonly codec?: LossyCodec | undefined;
  /** Turns of each candidate, one after the other, so that a noisy minute meets all of them. */
  readonly rounds: number;
}

export interface BenchmarkRow extends ExchangeFigures {
  readonly topology: Topology | 'auto';
  /** Time of the same bytes over plain TCP between the same processes, by ours: median over the rounds. */
  readonly shareOfTcp: number;
}

/** A candidate beside ours, for comparison: milliseconds of each of `calls` calls. */
export type Peer = (floats: number, calls: number) => Promise<readonly number[]>;

/**
 * Measures every size in turn: in each round every topology, plain TCP, and `peer` where there is one.
 *
 * @param measure - runs a task on all ranks; the figures are of those whose times it returns, rank 0's first
 */
export async function* measureExchange(
  measure: (task: ExchangeTask) => Promise<readonly ExchangeTimes[]>,
  { workers, floats: sizes, topologies, rounds, codec }: BenchmarkOptions,
  peer?: Peer,
): AsyncGenerator<BenchmarkRow & { readonly peer?: { readonly milliseconds: number; readonly ratio: number } }> {
  for (const floats of sizes) {
    const calls = floats < largeFloats ? 12 : 3;
    const ours = new Map(topologies.map((topology) => [topology, [] as (readonly ExchangeTimes[])[]]));
    const tcp: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const warmUpCalls = round === 0 ? 3 : 1;
      const task = { floats, calls, warmUpCalls } as const;
      for (const [topology, kept] of ours) kept.push(await measure({ ...task, what: 'all-reduce', topology, codec }));
      const [plain] = await measure({ ...task, what: 'tcp', topology: 'mesh' });
      tcp.push(median(plain!.milliseconds));
      if (peer) theirs.push(median(await peer(floats, calls)));
    }
    for (const [topology, kept] of ours) {
      const perRound = kept.map(([first]) => median(first!.milliseconds));
      const shareOfTcp = median(perRound.map((ms, i) => tcp[i]! / ms));
      const row = { ...figuresOf(workers, floats, together(kept)), topology, shareOfTcp };
      if (!peer) yield row;
      else
        yield {
          ...row,
          peer: { milliseconds: median(theirs), ratio: median(perRound.map((ms, i) => ms / theirs[i]!)) },
        };
    }
  }
}

/** Each rank's rounds, as if they had been one. */
function together(rounds: readonly (readonly ExchangeTimes[])[]): readonly ExchangeTimes[] {
  return rounds[0]!.map((_, rank) => ({
    milliseconds: rounds.flatMap((round) => round[rank]!.milliseconds),
    cpuSeconds: rounds.reduce((sum, round) => sum + round[rank]!.cpuSeconds, 0),
    sentBytes: rounds.reduce((sum, round) => sum + round[rank]!.sentBytes, 0),
  }));
}
