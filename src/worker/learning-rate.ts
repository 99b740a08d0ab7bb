import type { RunSpec } from '../core/run-spec.js';
import { samplesPerEpoch, totalSamples } from '../data/batch-plan.js';
import { learningRateAt } from '../optim/schedule.js';
import { parseSchedule } from '../optim/schedule-text.js';

/** The learning rate of a step, from the samples before it and its own. */
export type LearningRateOf = (samplesBefore: number, batchSamples: number) => number;

/** The schedule that a spec describes, over the samples of its whole run. */
export function learningRateOf(spec: RunSpec): LearningRateOf {
  const { lastStep, globalBatchSize, dropLast, warmupSteps, dataset } = spec;
  const schedule = parseSchedule(spec.learningRateSchedule);
  const span = {
    totalSamples: totalSamples(lastStep, dataset.trainLength, globalBatchSize, dropLast),
    samplesPerEpoch: samplesPerEpoch(dataset.trainLength, globalBatchSize, dropLast),
    warmupSamples: warmupSteps * globalBatchSize,
  };
  return (samplesBefore, batchSamples) =>
    learningRateAt(spec.learningRate, schedule, { ...span, samplesBefore, batchSamples });
}
