import type { RunSpec } from '../core/run-spec.js';
import { samplesPerEpoch, stepsPerEpoch, totalSamples } from '../data/batch-plan.js';
import { learningRateAt } from '../optim/schedule.js';
import { parseSchedule } from '../optim/schedule-text.js';

/** The learning rate of a step, from the samples before it and its own. */
export type LearningRateOf = (samplesBefore: number, batchSamples: number) => number;

/**
 * The schedule that a spec describes, over the samples of its whole run. Where batches follow the cluster these are the
 * samples of its passes over the data; if its end was given in steps, of so many steps with the first batch.
 */
export function learningRateOf(spec: RunSpec): LearningRateOf {
  const { lastEpoch, globalBatchSize, dropLast, warmupSteps, dataset } = spec;
  const inEpoch = samplesPerEpoch(dataset.trainLength, globalBatchSize, dropLast);
  const schedule = parseSchedule(spec.learningRateSchedule);
  const span = {
    totalSamples:
      lastEpoch === undefined
        ? totalSamples(batchesOf(spec), dataset.trainLength, globalBatchSize, dropLast)
        : lastEpoch * inEpoch,
    samplesPerEpoch: inEpoch,
    warmupSamples: warmupSteps * globalBatchSize,
  };
  return (samplesBefore, batchSamples) =>
    learningRateAt(spec.learningRate, schedule, { ...span, samplesBefore, batchSamples });
}

/** Of the whole run: its steps, but with --sync-every a step is several, fewer at the end of an epoch. */
function batchesOf({ lastStep, localSteps, dataset, globalBatchSize, dropLast }: RunSpec): number {
  if (!localSteps) return lastStep;
  const inEpoch = stepsPerEpoch(dataset.trainLength, globalBatchSize, dropLast);
  const stepsInEpoch = Math.ceil(inEpoch / localSteps.every);
  return Math.floor(lastStep / stepsInEpoch) * inEpoch + (lastStep % stepsInEpoch) * localSteps.every;
}
