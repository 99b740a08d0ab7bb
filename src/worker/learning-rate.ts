import type { RunSpec } from '../core/run-spec.js';
import { samplesPerEpoch, totalSamples } from '../data/batch-plan.js';
import { learningRateAt } from '../optim/schedule.js';
import { parseSchedule } from '../optim/schedule-text.js';

/** The learning rate of a step, from the samples before it and its own. */
export type LearningRateOf = (samplesBefore: number, batchSamples: number) => number;

/**
 * The schedule that a spec describes, over the samples of its whole run. Where batches follow the cluster these are the
 * samples of its passes over the data; if its end was given in steps, of so many steps with the first batch.
 */
export function learningRateOf(spec: RunSpec): LearningRateOf {
  const { lastStep, lastEpoch, globalBatchSize, dropLast, warmupSteps, dataset } = spec;
  const inEpoch = samplesPerEpoch(dataset.trainLength, globalBatchSize, dropLast);
  const schedule = parseSchedule(spec.learningRateSchedule);
  const span = {
    totalSamples:
      lastEpoch === undefined
        ? totalSamples(lastStep, dataset.trainLength, globalBatchSize, dropLast)
        : lastEpoch * inEpoch,
    samplesPerEpoch: inEpoch,
    warmupSamples: warmupSteps * globalBatchSize,
  };
  return (samplesBefore, batchSamples) =>
    learningRateAt(spec.learningRate, schedule, { ...span, samplesBefore, batchSamples });
}
