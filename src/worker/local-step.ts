import type { AllReduce } from '../collective/all-reduce.js';
import type { StepRecord } from '../core/events.js';
import { gradientNorm, isFiniteVector } from '../optim/clip.js';
import { outerStep } from '../optim/outer-momentum.js';
import { accuracyOf } from './evaluate.js';
import { trainLocally } from './local-training.js';
import { notFiniteFault } from './not-finite.js';
import type { PreparedRun } from './prepared-run.js';
import { inputIn, type FinishedStep, type Membership } from './train-step.js';

/**
 * One step of a run that exchanges now and then: several batches on one's own, then everybody's difference, then the outer
 * step, which is the same everywhere. All ranks end with the same weights; the state of the inner rule stays with its
 * worker, as in the paper, so that joiners and resumed runs go on with that of one of them.
 *
 * If a worker is lost, the step is abandoned like any other, and the others do it again with its samples shared out anew.
 *
 * @throws Abandoned, LockstepError as `trainStep`
 */
export async function localStep(
  run: PreparedRun,
  allReduce: AllReduce,
  membership: Membership,
  nowMs: () => number,
  isSealed: () => boolean,
): Promise<FinishedStep> {
  const { spec, state, engine } = run;
  const { own, sum } = run.differences!;
  const { rank, shares, generation } = membership;
  const beginMs = nowMs();
  const { step: finished, samplesSeen, scalars, skippedSteps, skippedInARow } = state.progression;
  const round = { generation, step: finished + 1, purpose: 'gradient' } as const;

  // A rank's difference is one node of a tree with one leaf a rank.
  const ranges = shares.map((_, i) => ({ first: i, end: i + 1 }));
  const reduction = allReduce.open({ round, ranges, count: shares.length, sum });
  const local = await trainLocally(run, membership, own, isSealed);
  reduction.add({ ...ranges[rank]!, values: own });
  const { wait, exchange, slowestRank, movedBytes, hiddenBytes } = await reduction.finish();

  const updateMs = nowMs();
  const { sampleCount } = local;
  const { layout } = engine;
  const loss = sum[layout.weightCount]! / sampleCount;
  const norm = gradientNorm(sum, layout, sampleCount, run.sumOfSquares);
  const isFinite = isFiniteVector(sum);
  if (isFinite) {
    outerStep(state.now, state.spare, sum, sampleCount, spec.localSteps!);
    state.swap();
  } else {
    allReduce.forget();
    if (skippedInARow + 1 >= spec.maxSkippedSteps) throw await notFiniteFault(run, local.firstBatch, skippedInARow + 1);
  }
  state.progression = {
    ...state.progression,
    step: round.step,
    position: local.position,
    samplesSeen: samplesSeen + sampleCount,
    scalars: isFinite ? local.scalars : scalars,
    skippedSteps: skippedSteps + (isFinite ? 0 : 1),
    skippedInARow: isFinite ? 0 : skippedInARow + 1,
  };

  const computing = { compute: local.computeSeconds, ...inputIn(local) };
  const seconds = { ...computing, wait, exchange, update: (nowMs() - updateMs) / 1000 };
  const record: StepRecord = {
    step: round.step,
    epoch: local.firstBatch.epoch,
    loss,
    accuracy: accuracyOf(spec, sum[layout.weightCount + 1]!, sampleCount),
    learningRate: local.learningRate,
    globalBatchSize: spec.globalBatchSize * spec.localSteps!.every,
    sampleCount,
    worldSize: shares.length,
    generation,
    gradientNorm: norm,
    skipped: !isFinite,
    seconds,
  };
  const { ownSampleCount, tensorCount } = local;
  const moved = { bytes: movedBytes, hiddenBytes };
  return { record, timing: { step: round.step, beginMs, seconds, slowestRank }, moved, ownSampleCount, tensorCount };
}
