import type { Begin } from '../cluster/messages.js';
import type { RunEvent } from '../core/events.js';
import { stepsPerEpoch } from '../data/batch-plan.js';
import type { CoordinatorDependencies } from './coordinator-options.js';

/** What is told when the first step is about to run. */
export function startedEvent(
  { spec, layout, gap }: Pick<CoordinatorDependencies, 'spec' | 'layout' | 'gap'>,
  begin: Begin,
  engine: string,
  out: string,
): Extract<RunEvent, { type: 'started' }> {
  const globalBatchSize = begin.globalBatchSize ?? spec.globalBatchSize;
  const batches = stepsPerEpoch(spec.dataset.trainLength, globalBatchSize, spec.dropLast);
  const perEpoch = Math.ceil(batches / (spec.localSteps?.every ?? 1));
  const stepsTotal = spec.lastEpoch === undefined ? spec.lastStep : spec.lastEpoch * perEpoch; // while the cluster stays
  return {
    type: 'started',
    runId: spec.runId,
    out,
    model: spec.model.name,
    hasAccuracy: spec.hasAccuracy !== false,
    parameterCount: layout.parameterCount,
    engine,
    ...(gap === undefined || !engine.includes('wasm') ? {} : { opByOp: gap }), // others know no plans at all
    worldSize: begin.members.length,
    globalBatchSize,
    microBatchSize: spec.microBatchSize,
    optimizer: spec.optimizer.name,
    learningRate: spec.learningRate,
    warmupSteps: spec.warmupSteps,
    stepsTotal,
    stepsPerEpoch: perEpoch,
    epochsTotal: Math.ceil(stepsTotal / perEpoch),
  };
}
