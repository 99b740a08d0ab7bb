import type { RunSpec } from '../../core/run-spec.js';
import { scaleToBatch, type ScalingRule } from '../../optim/scaling.js';

/** What one short run of one worker, and an exchange of two, say. */
export interface Measured {
  readonly trainLength: number;
  readonly globalBatchSize: number;
  readonly microBatchSize: number;
  readonly learningRate: number;
  readonly optimizer: RunSpec['optimizer'];
  readonly scaling: ScalingRule;
  readonly learningRateMax?: number;
  /** Of one worker, forward and backward. */
  readonly secondsPerSample: number;
  /** What a step takes beside: update, norms, and what is said about it. */
  readonly secondsPerStep: number;
  /** Of two workers: the exchange of this model's gradient, and of next to nothing. */
  readonly exchangeSeconds: number;
  readonly latencySeconds: number;
  /**
   * The exchange of two workers on one machine whose engines have both computed their share just before: how much longer a
   * step takes than computing. Where that was asked for.
   */
  readonly sharedExchangeSeconds?: number;
  /** In samples; undefined where the run was too short to see it. */
  readonly noiseScale: number | undefined;
  /** To the target, with the batch of the run; undefined where it was not reached. */
  readonly stepsToTarget: number | undefined;
  readonly target: number;
}

export interface Prediction {
  readonly workers: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly secondsPerStep: number;
  readonly imagesPerSecond: number;
  /** In units of the run's own steps to the target where that was not reached. */
  readonly steps: number;
  readonly seconds: number;
}

/**
 * Seconds of a step: the largest share of micro-batches, what a step takes beside, and the exchange.
 *
 *     exchange(N) = latency (N - 1) + wire 2 (N - 1) / N      wire = exchange(2) - latency
 *
 * Every worker sends to N - 1 others, and at least 2 (N - 1) / N of the vector. Where workers share cores an exchange has to
 * wait for them, as long as it was seen to with two; more workers than cores take turns at everything.
 *
 * @param cores - that all workers share; Infinity where each has its own
 */
export function stepSeconds(m: Measured, workers: number, batch: number, cores = Infinity): number {
  const microBatches = Math.ceil(batch / m.microBatchSize);
  const share = Math.min(batch, Math.ceil(microBatches / workers) * m.microBatchSize);
  const wire = Math.max(0, m.exchangeSeconds - m.latencySeconds);
  const exchange = m.latencySeconds * (workers - 1) + (wire * 2 * (workers - 1)) / workers;
  const isShared = Number.isFinite(cores) && m.sharedExchangeSeconds !== undefined;
  const disturbance = isShared ? m.sharedExchangeSeconds / m.exchangeSeconds : 1;
  const crowding = Math.max(1, workers / cores);
  return (share * m.secondsPerSample + m.secondsPerStep + exchange * disturbance) * crowding;
}

/** Steps with another batch, by S = S_min (1 + B_crit / B); without a noise scale the batch changes nothing. */
export function stepsWith({ stepsToTarget = 1, noiseScale, globalBatchSize }: Measured, batch: number): number {
  if (noiseScale === undefined) return stepsToTarget;
  return (stepsToTarget * (1 + noiseScale / batch)) / (1 + noiseScale / globalBatchSize);
}

function predictionOf(m: Measured, workers: number, batch: number, cores: number): Prediction {
  const { learningRate, learningRateMax, optimizer, scaling, globalBatchSize } = m;
  const given = { learningRate, options: optimizer.options, learningRateMax };
  const seconds = stepSeconds(m, workers, batch, cores);
  const steps = stepsWith(m, batch);
  return {
    workers,
    batch,
    learningRate: scaleToBatch(given, scaling, optimizer.name, batch / globalBatchSize).learningRate,
    secondsPerStep: seconds,
    imagesPerSecond: batch / seconds,
    steps,
    seconds: steps * seconds,
  };
}

/** For each number of workers, the batch that reaches the target soonest. */
export function plan(m: Measured, workers: readonly number[], cores = Infinity): readonly Prediction[] {
  const batches: number[] = [];
  for (let batch = m.microBatchSize; batch <= m.trainLength / 4; batch *= 2) batches.push(batch);
  if (!batches.includes(m.globalBatchSize)) batches.push(m.globalBatchSize);
  return workers.map((count) =>
    batches.map((batch) => predictionOf(m, count, batch, cores)).reduce((a, b) => (b.seconds < a.seconds ? b : a)),
  );
}

/** With the batch of the run, whatever the number of workers: what a run with these options is compared with. */
export function predictionFor(m: Measured, workers: number, batch: number, cores = Infinity): Prediction {
  return predictionOf(m, workers, batch, cores);
}

/** Twice the workers have to save at least so much of the time. */
const worthwhile = 0.2;

/** The first number of workers of which twice as many would save little; the last one if none does. */
export function diminishingFrom(predictions: readonly Prediction[]): number {
  for (const { workers, seconds } of predictions) {
    const twice = predictions.find((other) => other.workers === workers * 2);
    if (twice && twice.seconds > seconds * (1 - worthwhile)) return workers;
  }
  return predictions.at(-1)!.workers;
}
