import type { AllReduce } from '../collective/all-reduce.js';
import { rangesByShare } from '../collective/ranges.js';
import type { EvaluationRecord } from '../core/events.js';
import { microBatchCount } from '../data/batch-plan.js';
import { isAtBoundary } from './boundaries.js';
import type { PreparedRun } from './prepared-run.js';
import type { Membership } from './train-step.js';

/**
 * Loss and accuracy on the test set, as a round of the exchange: every rank gets the same sums and decides by itself
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

  const testAccuracy = evaluationSum[1]! / sampleCount;
  const { bestAccuracy, bestStep } = state.progression;
  const best = testAccuracy > bestAccuracy || step === bestStep; // a repeated evaluation says what it said before
  // The evaluation at a run's end, wherever that is, may come off its turn. Whoever resumes the run would not have made it
  // there had it gone on: it is for the report, and leaves no trace in the state.
  const isInTurn = isAtBoundary(spec.evaluateEvery, state.progression);
  if (best && isInTurn) state.progression = { ...state.progression, bestAccuracy: testAccuracy, bestStep: step };
  if (best) run.best = { step, weights: new Float32Array(state.now.weights) };
  return { step, epoch: epochOf(run), testLoss: evaluationSum[0]! / sampleCount, testAccuracy, best };
}

/** The pass over the data that the last finished step belonged to. */
function epochOf({ state }: PreparedRun): number {
  const { epoch, firstPosition } = state.progression.position;
  return firstPosition === 0 ? Math.max(0, epoch - 1) : epoch;
}
