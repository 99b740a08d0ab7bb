import type { StepTiming } from '../core/events.js';
import type { WorkerMetrics } from '../metrics/index.js';
import type { WorkerWatch } from '../worker/worker-options.js';

/** Over which the slowest peer is judged: one step says little. */
const windowMs = 500;

/** What a worker does, as its metrics. */
export function watchWorker(metrics: WorkerMetrics, onState: (state: string) => void): WorkerWatch {
  let codec = 'f32';
  let sent = 0;
  let received = 0;
  let slowest = new SlowestPeer();
  return {
    begun({ generation, shares }, rank, codecName) {
      codec = codecName;
      onState(`training as rank ${rank}`);
      metrics.rank.set(rank);
      metrics.generation.set(generation.number);
      metrics.rangeShare.set(shares[rank]! / shares.reduce((sum, share) => sum + share, 0));
      sent = received = 0; //                                       a new generation's link counts from 0
      slowest = new SlowestPeer(); //                                and its ranks are others
    },
    stepsFinished(steps, arenaBytes, { sentBytes, receivedBytes }) {
      for (const { record, timing, moved, ownSampleCount } of steps) {
        metrics.hidden.inc(moved.hiddenBytes);
        metrics.observeStep(record.seconds, ownSampleCount);
        const rank = slowest.add(timing);
        if (rank !== undefined) metrics.slowestPeer.set(rank);
      }
      metrics.tensors.set(steps.at(-1)!.tensorCount);
      metrics.arena.set(arenaBytes);
      metrics.exchanged.inc({ direction: 'sent', codec }, sentBytes - sent);
      metrics.exchanged.inc({ direction: 'received', codec }, receivedBytes - received);
      [sent, received] = [sentBytes, receivedBytes];
    },
    evaluated: (_record, seconds) => metrics.evaluationSeconds.observe(seconds),
    second: {
      copied: (reason, isUsed) => metrics.secondComputations.inc({ reason, outcome: isUsed ? 'used' : 'in vain' }),
      helped: () => metrics.helpedSteps.inc(),
    },
  };
}

/** For whom a worker waits, over a stretch of steps. */
class SlowestPeer {
  private secondsByRank = new Map<number, number>();
  private sinceMs: number | undefined;

  /** @returns the rank that was waited for longest, -1 for nobody, at the end of a stretch; else undefined */
  add({ beginMs, seconds, slowestRank }: StepTiming): number | undefined {
    this.secondsByRank.set(slowestRank, (this.secondsByRank.get(slowestRank) ?? 0) + seconds.wait);
    this.sinceMs ??= beginMs;
    if (beginMs - this.sinceMs < windowMs) return undefined;
    const [[rank] = [-1]] = [...this.secondsByRank].sort(([, a], [, b]) => b - a);
    this.secondsByRank = new Map();
    this.sinceMs = beginMs;
    return rank;
  }
}
