import type { Registry } from 'prom-client';
import type { PhaseSeconds } from '../core/events.js';
import { workerCatalogue } from './catalogue.js';
import { nodeMetrics } from './node.js';
import { register, type Metrics } from './register.js';

export interface WorkerMetrics extends Metrics<typeof workerCatalogue> {
  /**
   * Counts one finished step.
   *
   * @param ownSampleCount - samples of this worker's own range; 0 is legal
   */
  observeStep(seconds: PhaseSeconds, ownSampleCount: number): void;
}

/** One worker's metrics: its own phases, bytes and memory, and Node's own (memory, event-loop delay, garbage collection). */
export function workerMetrics(registry: Registry): WorkerMetrics {
  nodeMetrics(registry);
  const metrics = register(workerCatalogue, registry);
  return {
    ...metrics,
    observeStep({ compute, input = 0, exchange, update, wait }, ownSampleCount) {
      metrics.steps.inc();
      metrics.images.inc(ownSampleCount);
      metrics.inputWait.inc(input);
      for (const [phase, seconds] of Object.entries({ compute, exchange, update, wait })) {
        metrics.phaseSeconds.observe({ phase }, seconds);
      }
    },
  };
}
