import type { ByWorker } from './by-worker.js';
import type { CoordinatorMembership } from './coordinator-state.js';
import { groupOf } from './generation-plan.js';
import type { Begin, Progress } from './messages.js';

/**
 * Ranges follow measured speed: at every Begin, and when a generation runs whose ranges hold it up, by a Seal for their
 * sake. That costs about one step, so it has to be worth it and is not done often. No result depends on it.
 */

/** What a new cut must save of the slowest member's time, at least. */
const gainMin = 0.15;
/** What is never a mistake of measuring: nobody waits long for it. */
const gainUrgent = 0.5;
/** Steps of a generation before its ranges are judged: its members must have measured themselves in it. */
const stepsMin = 30;
/** After each Seal for the sake of ranges twice as many, until there are so many. */
const stepsMax = 30 * 64;
/** Steps after which a member that computes nothing is believed to be about twice as fast as it was when it did. */
const idleSteps = 256;

/** What members said about their speed last: seconds of a sample, by worker. */
export type Speeds = ByWorker<number>;

export function speedsAfter(speeds: Speeds, { workerId, secondsPerSample }: Progress): Speeds {
  return secondsPerSample === undefined ? speeds : speeds.with(workerId, secondsPerSample);
}

/** Whether the running generation should be sealed because other ranges would be done sooner. */
export function isUnbalanced(state: CoordinatorMembership): boolean {
  const { begin, options } = state;
  if (!begin || !options.planShares || groupOf(state).length < Math.max(2, begin.members.length)) return false;
  const reports = state.progress.values();
  if (reports.some(({ ended }) => ended)) return false;
  const steps = Math.max(0, ...reports.map(({ finishedStep }) => finishedStep - begin.afterStep));
  if (steps < stepsMin) return false;
  const seconds = secondsOf(begin, state.speeds, steps);
  if (!seconds) return false;
  const [now, then] = [begin.shares, options.planShares(seconds)].map((shares) => slowest(shares, seconds)) as [
    number,
    number,
  ];
  const gain = 1 - then / now;
  return gain >= gainUrgent || (gain >= gainMin && steps >= Math.min(stepsMin * 2 ** state.rebalances, stepsMax));
}

/** When the last member is done, for one sample of the whole. */
function slowest(shares: readonly number[], seconds: readonly number[]): number {
  const whole = shares.reduce((sum, share) => sum + share, 0);
  return Math.max(...shares.map((share, rank) => (share / whole) * seconds[rank]!));
}

/** By rank; undefined as long as somebody has not said. Whoever computes nothing cannot show that it became faster. */
function secondsOf({ members, shares }: Begin, speeds: Speeds, steps: number): readonly number[] | undefined {
  const measured = members.map(({ workerId }) => speeds.get(workerId));
  if (measured.some((seconds) => seconds === undefined)) return undefined;
  const best = Math.min(...(measured as number[]));
  return (measured as number[]).map((seconds, rank) =>
    shares[rank]! > 0 ? seconds : Math.max(best, seconds / (1 + steps / idleSteps)),
  );
}
