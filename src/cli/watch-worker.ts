import type { WorkerMetrics } from '../metrics/index.js';
import type { WorkerWatch } from '../worker/worker.js';

/** What a worker does, as its metrics. */
export function watchWorker(metrics: WorkerMetrics, onState: (state: string) => void): WorkerWatch {
  let sent = 0;
  let received = 0;
  return {
    begun({ generation, shares }, rank) {
      onState(`training as rank ${rank}`);
      metrics.rank.set(rank);
      metrics.generation.set(generation.number);
      metrics.rangeShare.set(shares[rank]! / shares.reduce((sum, share) => sum + share, 0));
      sent = received = 0; //                                       a new generation's link counts from 0
    },
    stepFinished({ record, ownSampleCount, tensorCount }, arenaBytes) {
      metrics.observeStep(record.seconds, ownSampleCount);
      metrics.tensors.set(tensorCount);
      metrics.arena.set(arenaBytes);
    },
    evaluated: (_record, seconds) => metrics.evaluationSeconds.observe(seconds),
    exchanged(sentBytes, receivedBytes) {
      metrics.sent.inc(sentBytes - sent);
      metrics.received.inc(receivedBytes - received);
      [sent, received] = [sentBytes, receivedBytes];
    },
  };
}
