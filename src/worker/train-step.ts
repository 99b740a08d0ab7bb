import type { AllReduce } from '../collective/all-reduce.js';
import type { Round } from '../collective/frame.js';
import { rangesByShare, type Range } from '../collective/ranges.js';
import { adaptedBatchSize, grownBatchSize } from '../core/batch-growth.js';
import { batchSizeAt, withBatchFrom, type BatchHistory } from '../core/batch-history.js';
import type { StepRecord, StepTiming } from '../core/events.js';
import { batchAt, microBatchAt, microBatchCount } from '../data/batch-plan.js';
import { clipFactor, gradientNorm, isFiniteVector } from '../optim/clip.js';
import { canBeHalved, nextLossScale } from '../optim/loss-scale.js';
import { averageNoise, isNoiseMeasured, noiseScaleOf } from '../optim/noise-scale.js';
import { addPenalties } from '../optim/penalties.js';
import { updateRunningAverages } from '../optim/running-averages.js';
import { EarlyUpdate } from './early-update.js';
import { accuracyOf } from './evaluate.js';
import { notFiniteFault } from './not-finite.js';
import type { PreparedRun } from './prepared-run.js';
import { computeAlone, type SecondComputation } from './second-computation.js';

/** What a round needs of the generation that it belongs to. */
export interface Membership {
  readonly generation: number;
  readonly rank: number;
  readonly shares: readonly number[];
  /** Samples of the generation's steps but its first, where the batch follows the cluster. */
  readonly globalBatchSize: number | undefined;
}

/** A finished step: what all ranks know of it, and what only this one does. */
export interface FinishedStep {
  readonly record: StepRecord;
  readonly timing: StepTiming;
  /** What this rank sent and received, and how much of it while it computed: that cost no time. */
  readonly moved: { readonly bytes: number; readonly hiddenBytes: number };
  /** Samples whose gradients this rank computed; 0 is legal. */
  readonly ownSampleCount: number;
  /** Live tensor objects of the engine. */
  readonly tensorCount: number;
}

/**
 * One training step, from data to new weights. All ranks end it with the same state, bit for bit.
 *
 * @param nowMs - monotonic milliseconds, only to report where time went
 * @param second - where a range may be computed a second time
 * @throws Abandoned when the generation is sealed meanwhile; the state is then as it was before
 * @throws LockstepError `NOT_FINITE` after too many skipped steps in a row
 */
export async function trainStep(
  run: PreparedRun,
  allReduce: AllReduce,
  membership: Membership,
  nowMs: () => number,
  second?: SecondComputation,
): Promise<FinishedStep> {
  const { spec, state, engine, gradientSum } = run;
  const beginMs = nowMs();
  const { step: finished, position, samplesSeen, scalars, skippedSteps, skippedInARow, lossScale } = state.progression;
  const round: Round = { generation: membership.generation, step: finished + 1, purpose: 'gradient' };

  // The step's samples, its micro-batches, and whose they are. How many they are the state says, and never the generation:
  // that only says what the state after this step does.
  const globalBatchSize = batchSizeAt(state.progression.batchHistory, round.step);
  const batchHistory = historyAfter(run, membership, round.step, globalBatchSize);
  const nextBatchSize = batchSizeAt(batchHistory, round.step + 1);
  const { batch, next } = batchAt(position, spec.dataset.trainLength, globalBatchSize, spec.dropLast, nextBatchSize);
  const { sampleCount } = batch;
  const count = microBatchCount(sampleCount, spec.microBatchSize);
  const ranges = rangesByShare(count, membership.shares);

  // A header to every peer, own range forward and backward, then everybody's sum. What is summed is updated at once.
  const scaled = run.scaledStepAt?.(state.progression.batchHistory, round.step);
  const learningRate = run.learningRateOf(samplesSeen, sampleCount) * (scaled?.rateFactor ?? 1);
  const scale = lossScale?.value ?? 1; //                            powers of two: no bit of the mean gradient depends on it
  const factors = { learningRate, sampleCount };
  const early = new EarlyUpdate(run, scaled?.optimizer ?? state.optimizer, factors, scale, nowMs);
  const reduction = allReduce.open({
    round,
    ranges,
    count,
    sum: gradientSum,
    onSlice: early.onSlice,
    engine: second?.engineWord,
    headerWaits: second !== undefined,
  });
  const range = ranges[membership.rank]!;
  const withSquares = isNoiseMeasured(round.step);
  const upcoming = batchAt(next, spec.dataset.trainLength, nextBatchSize, spec.dropLast).batch;
  const upcomingCount = microBatchCount(upcoming.sampleCount, spec.microBatchSize);
  const upcomingRange = rangesByShare(upcomingCount, membership.shares)[membership.rank]!;
  const job = {
    purpose: 'gradient',
    ...batch,
    range,
    withSquares,
    ...(lossScale ? { lossScale: scale } : {}),
    next: { ...upcoming, range: upcomingRange },
    weights: state.now.weights,
  } as const;
  const neighbour = ranges.at(membership.rank - 1)!;
  const ownSampleCount = samplesIn(range, sampleCount, spec.microBatchSize);
  const computed = second
    ? await second.compute({ engine, reduction, job, neighbour, count, ownSampleCount })
    : await computeAlone(engine, reduction, job);
  const { wait, exchange, slowestRank, movedBytes, hiddenBytes } = await reduction.finish();
  second?.finished(wait * 1000);

  // The same update everywhere, into the spare copy. Nothing is awaited before the state is complete: the step finishes, or
  // it was abandoned before. Only giving up the run takes time, to find out what was not finite.
  const updateMs = nowMs();
  const { parameterCount, extraCount, penalties } = engine.layout;
  const gradient = gradientSum.subarray(0, parameterCount);
  const extras = gradientSum.subarray(parameterCount, parameterCount + extraCount);
  const squareSum = gradientSum[parameterCount + extraCount] ?? NaN;
  const loss = extras[0]! / sampleCount;
  const accuracy = accuracyOf(spec, extras[1]!, sampleCount);
  const ownNorm = withSquares ? gradientNorm(gradient, engine.layout, sampleCount * scale, run.sumOfSquares) : 0;
  addPenalties(penalties, gradient, state.now.weights, sampleCount * scale, 0, parameterCount);
  const norm = gradientNorm(gradient, engine.layout, sampleCount * scale, run.sumOfSquares);
  const isFinite = Number.isFinite(norm) && isFiniteVector(extras);
  const { microBatchSize } = spec;
  const noise =
    withSquares && isFinite
      ? averageNoise(state.progression.noise, { microBatchSize, sampleCount, squareSum, norm: ownNorm })
      : state.progression.noise;
  const gradientNoiseScale = noiseScaleOf(noise);
  const advanced = isFinite ? early.scalars : scalars;
  if (isFinite) {
    if (!early.isPossible) early.update(0, parameterCount, clipFactor(norm, spec.clipNorm));
    updateRunningAverages(engine.layout, state.now.weights, state.spare.weights, extras, sampleCount);
    state.swap();
  } else {
    allReduce.forget();
    if (!canBeHalved(lossScale) && skippedInARow + 1 >= spec.maxSkippedSteps)
      throw await notFiniteFault(run, batch, skippedInARow + 1);
  }
  const nextScale = lossScale && nextLossScale(lossScale, isFinite, spec.lossScale!);
  if (nextScale?.value !== lossScale?.value) allReduce.forget(); //  what a codec keeps for the next step is of the old scale
  state.progression = {
    ...state.progression,
    step: round.step,
    position: next,
    batchHistory,
    samplesSeen: samplesSeen + sampleCount,
    scalars: advanced,
    skippedSteps: skippedSteps + (isFinite ? 0 : 1),
    skippedInARow: isFinite ? 0 : skippedInARow + (canBeHalved(lossScale) ? 0 : 1),
    ...(noise ? { noise } : {}),
    ...(nextScale ? { lossScale: nextScale } : {}),
  };

  const update = (nowMs() - updateMs) / 1000 + early.seconds;
  const own = { compute: computed.computeSeconds, ...inputIn(computed) };
  const seconds = { ...own, wait, exchange: Math.max(0, exchange - early.seconds), update };
  const record: StepRecord = {
    step: round.step,
    epoch: batch.epoch,
    loss,
    accuracy,
    learningRate,
    globalBatchSize,
    sampleCount,
    worldSize: membership.shares.length,
    generation: membership.generation,
    gradientNorm: norm,
    ...(gradientNoiseScale === undefined ? {} : { gradientNoiseScale }),
    ...(lossScale ? { lossScale: scale } : {}),
    skipped: !isFinite,
    seconds,
  };
  return {
    record,
    moved: { bytes: movedBytes, hiddenBytes },
    timing: { step: round.step, beginMs, seconds, slowestRank },
    ownSampleCount: computed.isLate ? 0 : ownSampleCount,
    tensorCount: computed.tensorCount,
  };
}

/** As `PhaseSeconds` has it. */
export function inputIn({ inputSeconds = 0 }: { readonly inputSeconds?: number }): { readonly input?: number } {
  return inputSeconds > 0 ? { input: inputSeconds } : {};
}

/** Rule 2: what the state after `step` will say about the sizes of batches, up to that of the step that follows. */
function historyAfter(run: PreparedRun, membership: Membership, step: number, size: number): BatchHistory {
  const { batchHistory } = run.state.progression;
  const next = nextBatchSize(run, membership, step, size);
  return next === undefined ? batchHistory : withBatchFrom(batchHistory, step + 1, next);
}

/** Of the step that follows `step`, whose own is `size`; undefined where batches do not change. */
function nextBatchSize({ spec, state }: PreparedRun, { globalBatchSize }: Membership, step: number, size: number) {
  const { batchHistory, noise, samplesSeen, position } = state.progression;
  if (spec.batchHistory) return batchSizeAt(spec.batchHistory, step + 1);
  if (spec.adaptiveBatch) return adaptedBatchSize(spec.adaptiveBatch, batchHistory, step, noiseScaleOf(noise));
  if (!spec.batchGrowth) return globalBatchSize;
  const samplesAfter = samplesSeen + Math.min(size, spec.dataset.trainLength - position.firstPosition);
  return grownBatchSize(spec.batchGrowth, spec.globalBatchSize, samplesAfter, spec.microBatchSize);
}

function samplesIn(range: Range, sampleCount: number, microBatchSize: number): number {
  if (range.first === range.end) return 0;
  return (
    microBatchAt(range.end - 1, sampleCount, microBatchSize).end -
    microBatchAt(range.first, sampleCount, microBatchSize).first
  );
}
