import type { Registry } from 'prom-client';
import type { RunEvent } from '../core/events.js';
import { coordinatorCatalogue } from './catalogue.js';
import { nodeMetrics } from './node.js';
import { register, type Metrics } from './register.js';

export interface CoordinatorMetrics extends Metrics<typeof coordinatorCatalogue> {
  /** Takes over what an event of the run says. */
  observe(event: RunEvent): void;
  /** A generation begins with these workers, by their stable names. */
  observeMembers(names: readonly string[]): void;
}

/** The coordinator's metrics: those of the run, and Node's own (memory, event-loop delay, garbage collection). */
export function coordinatorMetrics(registry: Registry): CoordinatorMetrics {
  nodeMetrics(registry);
  const metrics = register(coordinatorCatalogue, registry);
  // A run without accuracy has no such series, and one that has it none before it is known.
  for (const name of ['accuracy', 'testAccuracy', 'bestTestAccuracy'] as const) metrics[name].remove();
  let members: readonly string[] = [];
  return {
    ...metrics,
    observe: (event) => observe(metrics, event),
    observeMembers(names) {
      for (const worker of members) metrics.memberUp.set({ worker }, 0);
      for (const worker of names) {
        metrics.memberUp.set({ worker }, 1);
        metrics.memberWaitedFor.inc({ worker }, 0); //               a series that begins at 0 has a rate at once
      }
      members = names;
    },
  };
}

function observe(metrics: Metrics<typeof coordinatorCatalogue>, event: RunEvent): void {
  switch (event.type) {
    case 'waiting':
      metrics.joinedWorkers.set(event.joined);
      return;
    case 'started':
      metrics.run.set({ model: event.model, engine: event.engine }, 1);
      metrics.joinedWorkers.set(event.worldSize);
      metrics.worldSize.set(event.worldSize);
      metrics.globalBatchSize.set(event.globalBatchSize);
      metrics.stepsPlanned.set(event.stepsTotal);
      return;
    case 'step':
      metrics.step.set(event.step);
      metrics.steps.inc();
      metrics.images.inc(event.sampleCount);
      if (event.skipped) metrics.skippedSteps.inc();
      metrics.epoch.set(event.epoch);
      metrics.worldSize.set(event.worldSize);
      metrics.generation.set(event.generation);
      metrics.globalBatchSize.set(event.globalBatchSize);
      metrics.learningRate.set(event.learningRate);
      metrics.loss.set(event.loss);
      if (event.accuracy !== null) metrics.accuracy.set(event.accuracy);
      metrics.gradientNorm.set(event.gradientNorm);
      if (event.gradientNoiseScale !== undefined) metrics.gradientNoiseScale.set(event.gradientNoiseScale);
      return;
    case 'evaluation':
      metrics.evaluations.inc();
      metrics.testLoss.set(event.testLoss);
      for (const [metric, value] of Object.entries(event.metrics ?? {})) metrics.testMetric.set({ metric }, value);
      if (event.testAccuracy !== null) {
        metrics.testAccuracy.set(event.testAccuracy);
        if (event.best) metrics.bestTestAccuracy.set(event.testAccuracy);
      }
      return;
    case 'membership':
      metrics.membershipChanges.inc();
      metrics.worldSize.set(event.worldSize);
      metrics.generation.set(event.generation);
      return;
    case 'ranges':
      metrics.rangeChanges.inc();
      metrics.generation.set(event.generation);
      return;
    case 'checkpoint':
      metrics.checkpointStep.set(event.step);
      metrics.checkpointTime.setToCurrentTime();
      metrics.checkpointSeconds.observe(event.seconds);
      return;
    case 'checkpoint-failed':
      metrics.checkpointFailures.inc();
      return;
    case 'resumed':
      metrics.checkpointStep.set(event.step);
      return;
    case 'listening':
    case 'restored':
    case 'stopping':
    case 'result':
    case 'error':
  }
}
