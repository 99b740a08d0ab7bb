import type { Begin } from '../../../src/cluster/messages.js';
import { plainVectors, Workspace } from '../../../src/collective/workspace.js';
import { createArena } from '../../../src/core/arena.js';
import { layoutOf } from '../../../src/core/layout.js';
import type { RunSpec } from '../../../src/core/run-spec.js';
import type { ComputeJob } from '../../../src/engine/job.js';
import { createOptimizer } from '../../../src/optim/registry.js';
import { memoryLinks } from '../../../src/transport/memory/memory-link.js';
import type { PreparedRun } from '../../../src/worker/prepared-run.js';
import { trainLoop } from '../../../src/worker/train-loop.js';
import { TrainingState } from '../../../src/worker/training-state.js';

const layout = layoutOf([
  { name: 'dense.kernel', shape: [2] },
  { name: 'dense.bias', shape: [1] },
]);
const spec = {
  dataset: { trainLength: 24, testLength: 4 },
  globalBatchSize: 8,
  microBatchSize: 2,
  dropLast: false,
  evaluateEvery: { every: 100, unit: 'step' },
  checkpointEvery: { every: 2, unit: 'step' },
  maxSkippedSteps: 3,
  topology: 'auto',
} as unknown as RunSpec;

/**
 * One worker whose engine answers by arithmetic.
 *
 * @param gradientOf - of a micro-batch: kernel, kernel, bias, loss, correct
 * @param changes - to a spec of 24 samples in batches of 8
 * @param evaluated - sums of loss and correct answers over the 4 samples of each evaluation
 */
export function workerWith(
  gradientOf: (job: ComputeJob, weights: Float32Array) => readonly number[],
  changes: Partial<RunSpec> = {},
  evaluated: () => readonly number[] = () => [1, 1],
): PreparedRun {
  const arena = createArena();
  const state = new TrainingState(arena, layout, createOptimizer('momentum', {}), 8, changes.lossScale);
  state.initialise(Float32Array.of(1, 2, 3), 0.1);
  const compute = (job: ComputeJob) => {
    const isTraining = job.purpose === 'gradient';
    const values = Float32Array.from(isTraining ? gradientOf(job, job.weights) : evaluated());
    return Promise.resolve({ nodes: [{ ...job.range, values }], computeSeconds: 0, tensorCount: 0 });
  };
  return {
    spec: { ...spec, ...changes },
    arena,
    engine: { layout, compute } as unknown as PreparedRun['engine'],
    state,
    learningRateOf: () => 0.1,
    workspace: new Workspace(plainVectors),
    residuals: new Workspace(plainVectors),
    gradientSum: new Float32Array(5),
    evaluationSum: new Float32Array(2),
    best: undefined,
    checkpoint: undefined,
  };
}

/** A generation of this worker alone, from where it stands. */
export function begunAt(run: PreparedRun, changes: Pick<Begin, 'lastStep'> & Partial<Begin>): Begin {
  return {
    kind: 'begin',
    generation: { term: 1, number: 1 },
    members: [{ workerId: 'w0', address: 'a:1' }],
    shares: [1],
    donor: 0,
    afterStep: run.state.progression.step,
    ...changes,
  };
}

/** @returns the steps whose states were offered as checkpoints */
export async function train(run: PreparedRun, begin: Begin): Promise<number[]> {
  const offered: number[] = [];
  const ignore = (): void => undefined;
  const events = {
    stepFinished: ignore,
    evaluated: ignore,
    ended: ignore,
    checkpointed: (s: number) => offered.push(s),
  };
  await trainLoop(
    run,
    begin,
    memoryLinks(1, 1)[0]!,
    events,
    () => 0,
    () => false,
  );
  return offered;
}

/** A gradient that depends on the weights and on the data, so that a state that is not quite the same shows. */
export const lively = (job: ComputeJob, weights: Float32Array): number[] => [
  weights[0]! / 3,
  weights[1]! * job.firstPosition,
  job.epoch + 1,
  1,
  1,
];
