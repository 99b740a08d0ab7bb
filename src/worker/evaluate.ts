import type { AllReduce } from '../collective/all-reduce.js';
import { rangesByShare } from '../collective/ranges.js';
import type { EvaluationRecord } from '../core/events.js';
import { evaluationCount } from '../core/layout.js';
import type { RunSpec } from '../core/run-spec.js';
import { microBatchCount } from '../data/batch-plan.js';
import { isAtBoundary } from './boundaries.js';
import type { PreparedRun } from './prepared-run.js';
import type { Membership } from './train-step.js';

/**
 * Loss, accuracy and metrics on the test set, as a round of the exchange: every rank gets the same sums and decides by itself
 * what follows from them. Can be repeated after a change of membership; the result is the same.
 *
 * @throws Abandoned when the generation is sealed meanwhile
 */
export async function evaluate(
  run: PreparedRun,
  allReduce: AllReduce,
  membership: Membership,
): Promise<EvaluationRecord> {
  const { spec, state, engine, evaluationSum } = run;
  const { step } = state.progression;
  const sampleCount = spec.dataset.testLength;
  const count = microBatchCount(sampleCount, spec.microBatchSize);
  const ranges = rangesByShare(count, membership.shares);

  const round = { generation: membership.generation, step, purpose: 'evaluation' } as const;
  const reduction = allReduce.open({ round, ranges, count, sum: evaluationSum });
  const job = {
    purpose: 'evaluation',
    epoch: 0,
    firstPosition: 0,
    sampleCount,
    range: ranges[membership.rank]!,
  } as const;
  const computed = await engine.compute({ ...job, weights: state.now.weights });
  for (const node of computed.nodes) reduction.add(node);
  await reduction.finish();

  const testLoss = evaluationSum[0]! / sampleCount;
  const testAccuracy = accuracyOf(spec, evaluationSum[1]!, sampleCount);
  const { bestAccuracy, bestLoss = Infinity, bestStep } = state.progression;
  const isBetter = testAccuracy === null ? testLoss < bestLoss : testAccuracy > bestAccuracy;
  const best = isBetter || step === bestStep; //                     a repeated evaluation says what it said before
  // The evaluation at a run's end, wherever that is, may come off its turn. Whoever resumes the run would not have made it
  // there had it gone on: it is for the report, and leaves no trace in the state.
  const isInTurn = isAtBoundary(spec.evaluateEvery, state.progression);
  const record = testAccuracy === null ? { bestLoss: testLoss } : { bestAccuracy: testAccuracy };
  if (best && isInTurn) state.progression = { ...state.progression, ...record, bestStep: step };
  if (best) run.best = { step, weights: new Float32Array(state.now.weights) };
  const metrics = spec.metrics?.map(
    ({ name }, i) => [name, evaluationSum[evaluationCount + i]! / sampleCount] as const,
  );
  return {
    ...{ step, epoch: epochOf(run), testLoss, testAccuracy, best },
    ...(metrics ? { metrics: Object.fromEntries(metrics) } : {}),
  };
}

/** The share of correct answers; null in a run that knows none. */
export function accuracyOf({ hasAccuracy }: RunSpec, correctCount: number, sampleCount: number): number | null {
  return hasAccuracy === false ? null : correctCount / sampleCount;
}

/** The pass over the data that the last finished step belonged to. */
function epochOf({ state }: PreparedRun): number {
  const { epoch, firstPosition } = state.progression.position;
  return firstPosition === 0 ? Math.max(0, epoch - 1) : epoch;
}
