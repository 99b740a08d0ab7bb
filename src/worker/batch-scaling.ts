import { batchSizeAt, type BatchHistory } from '../core/batch-history.js';
import type { RunSpec } from '../core/run-spec.js';
import { stepsPerEpoch } from '../data/batch-plan.js';
import type { Optimizer } from '../optim/optimizer.js';
import { scaleToBatch } from '../optim/scaling.js';

/** How a step of a run whose batches vary learns, compared with its first one. */
export interface ScaledStep {
  /** Times the learning rate that the schedule says. */
  readonly rateFactor: number;
  readonly optimizer: Optimizer;
}

export type ScaledStepAt = (history: BatchHistory, step: number) => ScaledStep;

/** A larger batch is warmed up to again, over so much of an epoch, and at least so many steps. */
const warmupShare = 10;
const warmupStepsMin = 10;
/** Below 1, for LARS's buffer, where a rate is corrected. */
const momentumMax = 0.999;

/**
 * Applies `--lr-scaling` again whenever the batch changes. A rate that rises does so in a line over a short warm-up, one
 * that falls at once. It looks at the history of sizes alone, which all workers have.
 *
 * LARS has the rate inside of its buffer: a change of it is made up for there (Goyal et al. 2017, momentum correction).
 *
 * @param createRule - for options of the update rule
 * @returns undefined where nothing is to be scaled again
 */
export function scaledStepAt(
  spec: RunSpec,
  createRule: (options: RunSpec['optimizer']['options']) => Optimizer,
): ScaledStepAt | undefined {
  const { rescaling, optimizer, learningRate, dataset, dropLast } = spec;
  if (!rescaling) return undefined;
  const { rule, baseBatchSize, learningRate: baseRate, options, learningRateMax } = rescaling;
  const scaledTo = (size: number) =>
    scaleToBatch({ learningRate: baseRate, options, learningRateMax }, rule, optimizer.name, size / baseBatchSize);
  const rateAt = (size: number): number => scaledTo(size).learningRate / learningRate;

  function factorAt(history: BatchHistory, step: number): number {
    const index = history.findLastIndex(({ fromStep }) => fromStep <= step);
    const { fromStep, globalBatchSize } = history[index]!;
    const rate = rateAt(globalBatchSize);
    const before = history[index - 1];
    if (!before) return rate;
    // Where the size before was still warming up, this one begins from there.
    const start = factorAt(history, fromStep - 1);
    const inEpoch = stepsPerEpoch(dataset.trainLength, globalBatchSize, dropLast);
    const warmup = Math.max(warmupStepsMin, Math.ceil(inEpoch / warmupShare));
    const done = step - fromStep + 1;
    return start >= rate || done >= warmup ? rate : start + ((rate - start) * done) / warmup;
  }

  const rules = new Map<string, Optimizer>();
  const ruleFor = (wanted: RunSpec['optimizer']['options']): Optimizer => {
    const key = JSON.stringify(wanted);
    const known = rules.get(key);
    if (known) return known;
    const created = createRule(wanted);
    rules.clear(); //                                                 sizes change seldom, and a ramp never comes back
    rules.set(key, created);
    return created;
  };

  return (history, step) => {
    const rateFactor = factorAt(history, step);
    const scaled = scaledTo(batchSizeAt(history, step)).options;
    const before = optimizer.name === 'lars' && step > 1 ? factorAt(history, step - 1) : rateFactor;
    if (before === rateFactor) return { rateFactor, optimizer: ruleFor(scaled) };
    const momentum = Number(scaled['momentum'] ?? 0.9) * (rateFactor / before);
    return { rateFactor, optimizer: ruleFor({ ...scaled, momentum: Math.min(momentum, momentumMax) }) };
  };
}
