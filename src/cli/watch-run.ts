import type { Begin } from '../cluster/messages.js';
import type { RunWatch } from '../coordinator/run-watch.js';
import { nameOfWorker } from '../core/worker-id.js';
import type { CoordinatorMetrics } from '../metrics/index.js';

/** What the coordinator learns about its workers, as its metrics. */
export function watchRun(metrics: CoordinatorMetrics): RunWatch {
  let begin: Begin | undefined;
  return {
    arrived: () => undefined,
    departed: (_workerId, cause) => metrics.workersLost.inc({ cause }),
    began(begun) {
      begin = begun;
      metrics.observeMembers(namesOf(begun));
    },
    heartbeat(_workerId, { timings }) {
      if (!begin) return;
      const names = namesOf(begin);
      for (const { step, seconds, slowestRank } of timings) {
        if (step <= begin.afterStep) continue; //                    its ranks were those of an earlier generation
        const worker = names[slowestRank];
        if (worker !== undefined) metrics.memberWaitedFor.inc({ worker }, seconds.wait);
      }
    },
  };
}

function namesOf({ members }: Begin): readonly string[] {
  return members.map(({ workerId }) => nameOfWorker(workerId));
}
