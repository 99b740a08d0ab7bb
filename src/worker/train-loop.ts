import { AllReduce } from '../collective/all-reduce.js';
import type { Codec } from '../collective/codec.js';
import { createCodec } from '../collective/codecs/registry.js';
import { Abandoned } from '../collective/faults.js';
import type { Link } from '../collective/link.js';
import { chooseTopology } from '../collective/topology.js';
import type { Begin } from '../cluster/messages.js';
import type { EvaluationRecord } from '../core/events.js';
import { isAtBoundary, isAtEnd } from './boundaries.js';
import { evaluate } from './evaluate.js';
import { localStep } from './local-step.js';
import type { PreparedRun } from './prepared-run.js';
import type { SecondComputation } from './second-computation.js';
import { takeCheckpoint } from './state-transfer.js';
import { trainStep, type FinishedStep, type Membership } from './train-step.js';

/** Where a generation's progress goes. */
export interface LoopEvents {
  /** Peers may wait for this worker until it returns. */
  stepFinished(step: FinishedStep): void;
  evaluated(record: EvaluationRecord, seconds: number): void | Promise<void>;
  /** A copy of the state after this step waits to be stored. */
  checkpointed(step: number): void;
  /** The last step is finished and evaluated. */
  ended(targetReached: boolean): void;
}

/**
 * Runs step after step of one generation, and asks nobody: until the run's last step, until an evaluation reaches the
 * target, or until the generation is sealed.
 *
 * @param isSealed - whether the link was closed; looked at between steps
 * @param second - of this worker, whatever the generation
 * @throws Error only for what ends the run; being abandoned is no error
 */
export async function trainLoop(
  run: PreparedRun,
  begin: Begin,
  link: Link,
  events: LoopEvents,
  nowMs: () => number,
  isSealed: () => boolean,
  second?: SecondComputation,
): Promise<void> {
  const { rank, worldSize } = link;
  const { spec, workspace } = run;
  const allReduceOf = ({ length }: Float32Array, exactTail: number, codec?: Codec): AllReduce => {
    const topology = chooseTopology(spec.topology, length, worldSize);
    return new AllReduce({ link, workspace, nowMs, codec }, { topology, length, exactTail });
  };
  const { parameterCount } = run.engine.layout;
  const stepSum = run.differences?.sum ?? run.gradientSum;
  const codec = createCodec(spec.codec, spec.seed, run.residuals);
  const gradients = allReduceOf(stepSum, stepSum.length - parameterCount, codec);
  const evaluations = allReduceOf(run.evaluationSum, run.evaluationSum.length);
  const isStar = chooseTopology(spec.topology, stepSum.length, worldSize) === 'star';
  const helped = second?.begin(run, worldSize) && !isStar ? second : undefined;
  const nextStep = (): Promise<FinishedStep> =>
    spec.localSteps
      ? localStep(run, gradients, membership, nowMs, isSealed)
      : trainStep(run, gradients, membership, nowMs, helped);
  const membership: Membership = {
    generation: begin.generation.number,
    rank,
    shares: begin.shares,
    globalBatchSize: begin.globalBatchSize,
  };
  try {
    // A member may have evaluated the step before this generation when others had not: all of them do it (again).
    let targetReached = await evaluateIfDue();
    while (!isSealed() && !targetReached && !isOver()) {
      events.stepFinished(await nextStep());
      targetReached = await evaluateIfDue();
      checkpointIfDue();
    }
    if (!isSealed()) events.ended(targetReached);
  } catch (error) {
    if (!(error instanceof Abandoned)) throw error;
  }

  function isOver(): boolean {
    return isAtEnd(begin.lastStep, run.spec.lastEpoch, run.state.progression);
  }

  /** @returns whether the target is reached: the sums are the same everywhere, and so is the answer */
  async function evaluateIfDue(): Promise<boolean> {
    const isDue = isOver() || isAtBoundary(run.spec.evaluateEvery, run.state.progression);
    if (!isDue || isSealed()) return false;
    const beginMs = nowMs();
    const record = await evaluate(run, evaluations, membership);
    await events.evaluated(record, (nowMs() - beginMs) / 1000);
    return (record.testAccuracy ?? 0) >= (run.spec.targetAccuracy ?? Infinity);
  }

  /** One worker does it for all. The last step needs none: its state is stored as the result. */
  function checkpointIfDue(): void {
    const { checkpointEvery } = run.spec;
    if (rank !== 0 || isOver() || !checkpointEvery || !isAtBoundary(checkpointEvery, run.state.progression)) return;
    takeCheckpoint(run);
    events.checkpointed(run.state.progression.step);
  }
}
