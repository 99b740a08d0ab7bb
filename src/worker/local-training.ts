import { Abandoned } from '../collective/faults.js';
import { rangesByShare } from '../collective/ranges.js';
import { batchAt, microBatchAt, microBatchCount, type Batch, type DataPosition } from '../data/batch-plan.js';
import { evaluationCount } from '../core/layout.js';
import { clipFactor, gradientNorm } from '../optim/clip.js';
import { addPenalties } from '../optim/penalties.js';
import { updateRunningAverages } from '../optim/running-averages.js';
import type { OptimizerScalars } from '../optim/optimizer.js';
import type { PreparedRun } from './prepared-run.js';
import type { Membership } from './train-step.js';

/** What a worker did between two exchanges. */
export interface LocalTraining {
  readonly firstBatch: Batch;
  /** After the last batch. */
  readonly position: DataPosition;
  readonly scalars: OptimizerScalars;
  /** Of all workers. */
  readonly sampleCount: number;
  readonly ownSampleCount: number;
  readonly learningRate: number;
  readonly computeSeconds: number;
  readonly inputSeconds: number;
  readonly tensorCount: number;
}

/**
 * Trains on this rank's share of the next batches of the epoch, from the state into the spare copy, with nobody else. Then `difference`
 * holds own samples times (weights before - weights after), and behind it the sums of loss and correct answers.
 *
 * A rank whose share has no samples moves by nothing, and nothing is its weight in the mean.
 *
 * @param difference - float32[weightCount + evaluationCount] in the arena; overwritten
 * @param isSealed - looked at after each batch
 * @throws Abandoned when it is; the state is as before
 */
export async function trainLocally(
  run: PreparedRun,
  membership: Membership,
  difference: Float32Array,
  isSealed: () => boolean,
): Promise<LocalTraining> {
  const { spec, state, engine } = run;
  const { layout } = engine;
  const { parameterCount, weightCount } = layout;
  const { samplesSeen } = state.progression;
  let { position, scalars } = state.progression;
  let [sampleCount, ownSampleCount, learningRate, tensorCount] = [0, 0, 0, 0];
  let [computeSeconds, inputSeconds] = [0, 0];
  let firstBatch: Batch | undefined;

  const own = state.spare;
  own.weights.set(state.now.weights);
  state.now.slots.forEach((slot, i) => own.slots[i]!.set(slot));
  const totals = difference.subarray(weightCount).fill(0);
  for (let i = 0; i < spec.localSteps!.every && (i === 0 || position.firstPosition > 0); i++) {
    const { batch, next } = batchAt(position, spec.dataset.trainLength, spec.globalBatchSize, spec.dropLast);
    const count = microBatchCount(batch.sampleCount, spec.microBatchSize);
    const range = rangesByShare(count, membership.shares)[membership.rank]!;
    learningRate = run.learningRateOf(samplesSeen + sampleCount, batch.sampleCount);
    scalars = state.optimizer.advance(scalars);
    if (range.first < range.end) {
      const computed = await engine.compute({ purpose: 'gradient', ...batch, range, weights: own.weights });
      if (isSealed()) throw new Abandoned('sealed between two exchanges');
      const [sum, ...rest] = computed.nodes.map(({ values }) => values);
      for (const node of rest) run.workspace.vectors.add(sum!, node);
      const end = microBatchAt(range.end - 1, batch.sampleCount, spec.microBatchSize).end;
      const samples = end - microBatchAt(range.first, batch.sampleCount, spec.microBatchSize).first;
      const gradient = sum!.subarray(0, parameterCount);
      const extras = sum!.subarray(parameterCount);
      addPenalties(layout.penalties, gradient, own.weights, samples, 0, parameterCount);
      const norm = spec.clipNorm === undefined ? 0 : gradientNorm(gradient, layout, samples, run.sumOfSquares);
      const factors = { learningRate, sampleCount: samples, clipFactor: clipFactor(norm, spec.clipNorm) };
      state.optimizer.update(own, own, gradient, scalars, factors, 0, parameterCount); // a rule reads an element before it writes it
      updateRunningAverages(layout, own.weights, own.weights, extras, samples);
      for (let i = 0; i < evaluationCount; i++) totals[i]! += extras[i]!;
      ownSampleCount += samples;
      computeSeconds += computed.computeSeconds;
      inputSeconds += computed.inputSeconds ?? 0;
      tensorCount = computed.tensorCount;
    }
    firstBatch ??= batch;
    sampleCount += batch.sampleCount;
    position = next;
  }

  const before = state.now.weights;
  for (let i = 0; i < weightCount; i++) difference[i] = ownSampleCount * (before[i]! - own.weights[i]!);
  return {
    firstBatch: firstBatch!,
    position,
    scalars,
    sampleCount,
    ownSampleCount,
    learningRate,
    computeSeconds,
    inputSeconds,
    tensorCount,
  };
}
