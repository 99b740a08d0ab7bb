import type { Begin } from '../cluster/messages.js';
import type { RunEvent } from '../core/events.js';
import type { ParameterLayout } from '../core/layout.js';
import type { RunSpec } from '../core/run-spec.js';
import { stepsPerEpoch } from '../data/batch-plan.js';

/** What is told when the first step is about to run. */
export function startedEvent(
  spec: RunSpec,
  layout: ParameterLayout,
  begin: Begin,
  engine: string,
  out: string,
): Extract<RunEvent, { type: 'started' }> {
  const perEpoch = stepsPerEpoch(spec.dataset.trainLength, spec.globalBatchSize, spec.dropLast);
  return {
    type: 'started',
    runId: spec.runId,
    out,
    model: spec.model.name,
    parameterCount: layout.parameterCount,
    engine,
    worldSize: begin.members.length,
    globalBatchSize: spec.globalBatchSize,
    microBatchSize: spec.microBatchSize,
    optimizer: spec.optimizer.name,
    learningRate: spec.learningRate,
    warmupSteps: spec.warmupSteps,
    stepsTotal: spec.lastStep,
    stepsPerEpoch: perEpoch,
    epochsTotal: Math.ceil(spec.lastStep / perEpoch),
  };
}
