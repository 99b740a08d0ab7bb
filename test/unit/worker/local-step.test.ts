import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AllReduce } from '../../../src/collective/all-reduce.js';
import { Abandoned } from '../../../src/collective/faults.js';
import { plainVectors, Workspace } from '../../../src/collective/workspace.js';
import { createArena } from '../../../src/core/arena.js';
import { layoutOf } from '../../../src/core/layout.js';
import type { LocalSteps, RunSpec } from '../../../src/core/run-spec.js';
import type { ComputeJob } from '../../../src/engine/job.js';
import { withOuterMomentum } from '../../../src/optim/outer-momentum.js';
import { createOptimizer } from '../../../src/optim/registry.js';
import { memoryLinks } from '../../../src/transport/memory/memory-link.js';
import { localStep } from '../../../src/worker/local-step.js';
import type { PreparedRun } from '../../../src/worker/prepared-run.js';
import { TrainingState } from '../../../src/worker/training-state.js';

const layout = layoutOf([{ name: 'dense.kernel', shape: [2] }]);

/** Each sample pulls the first weight to its number and the second to 3; loss 1 a sample, all answers right. */
function workerFor(localSteps: LocalSteps, gradientAt = (_job: ComputeJob) => 1): PreparedRun {
  const arena = createArena();
  const state = new TrainingState(arena, layout, withOuterMomentum(createOptimizer('momentum', { momentum: 0.5 })), 8);
  state.initialise(Float32Array.of(1, 2), 0.1);
  const compute = (job: ComputeJob) => {
    const { weights, range, firstPosition } = job;
    const samples = Array.from(
      { length: 2 * (range.end - range.first) },
      (_, i) => firstPosition + 2 * range.first + i,
    );
    const sum = samples.reduce((total, sample) => total + (weights[0]! - sample), 0) * gradientAt(job);
    const values = Float32Array.of(sum, samples.length * (weights[1]! - 3), samples.length, samples.length);
    return Promise.resolve({ nodes: [{ ...range, values }], computeSeconds: 0, tensorCount: 0 });
  };
  const spec = {
    dataset: { trainLength: 24, testLength: 4 },
    globalBatchSize: 8,
    microBatchSize: 2,
    dropLast: false,
    maxSkippedSteps: 3,
    localSteps,
  };
  return {
    spec: spec as unknown as RunSpec,
    arena,
    engine: { layout, compute } as unknown as PreparedRun['engine'],
    state,
    learningRateOf: () => 0.1,
    workspace: new Workspace(plainVectors),
    residuals: new Workspace(plainVectors),
    gradientSum: new Float32Array(4),
    differences: { own: new Float32Array(4), sum: new Float32Array(4) },
    evaluationSum: new Float32Array(2),
    best: undefined,
    checkpoint: undefined,
  };
}

async function train(runs: readonly PreparedRun[], shares: readonly number[], steps: number, isSealed = () => false) {
  const links = memoryLinks(runs.length, 1);
  return Promise.all(
    runs.map(async (run, rank) => {
      const needs = { link: links[rank]!, workspace: run.workspace, nowMs: () => 0 };
      const allReduce = new AllReduce(needs, { topology: 'mesh', length: 4, exactTail: 2 });
      const records = [];
      for (let step = 0; step < steps; step++)
        records.push(
          (
            await localStep(
              run,
              allReduce,
              { generation: 1, rank, shares, globalBatchSize: undefined },
              () => 0,
              isSealed,
            )
          ).record,
        );
      return records;
    }),
  );
}

const diloco: LocalSteps = { every: 2, outerLearningRate: 0.7, outerMomentum: 0.9 };

test('replicas end with the same weights and outer buffer, and each keeps its inner state', async () => {
  const runs = [workerFor(diloco), workerFor(diloco), workerFor(diloco)];
  const [records] = await train(runs, [2, 1, 1], 4);
  const [first, ...others] = runs.map(({ state }) => state);
  for (const other of others) {
    assert.deepEqual(other.now.weights, first!.now.weights);
    assert.deepEqual(other.now.slots[1], first!.now.slots[1], 'outer momentum');
    assert.notDeepEqual(other.now.slots[0], first!.now.slots[0], 'inner momentum saw other samples');
    assert.deepEqual(other.progression, first!.progression);
  }
  assert.deepEqual(
    records!.map(({ sampleCount, loss, accuracy }) => [sampleCount, loss, accuracy]),
    [16, 8, 16, 8].map((samples) => [samples, 1, 1]), //            the last step of an epoch has what is left: one batch
  );
  assert.deepEqual(first!.progression.position, { epoch: 2, firstPosition: 0 });
});

test('one batch a step, averaged, is synchronous training: the weights of one worker with the whole batch', async () => {
  const averaging: LocalSteps = { every: 1, outerLearningRate: 1, outerMomentum: 0 };
  const alone = workerFor(averaging);
  await train([alone], [1], 1);
  const pair = [workerFor(averaging), workerFor(averaging)];
  await train(pair, [3, 1], 1);
  pair[1]!.state.now.weights.forEach((w, i) => assert.ok(Math.abs(w - alone.state.now.weights[i]!) < 1e-6));
});

test('a worker without samples takes part, weighs nothing, and ends with the weights of the others', async () => {
  const runs = [workerFor(diloco), workerFor(diloco)];
  await train(runs, [1, 0], 2);
  const alone = workerFor(diloco);
  await train([alone], [1], 2);
  for (const { state } of runs) assert.deepEqual(state.now.weights, alone.state.now.weights);
});

test('sealed on the way, the step leaves the state as it was', async () => {
  const run = workerFor(diloco);
  await train([run], [1], 1);
  const before = structuredClone({ now: run.state.now, progression: run.state.progression });
  await assert.rejects(
    train([run], [1], 1, () => true),
    Abandoned,
  );
  assert.deepEqual({ now: run.state.now, progression: run.state.progression }, before);
});

test('a difference that is not finite on one worker skips the step on all', async () => {
  const runs = [workerFor(diloco), workerFor(diloco, () => NaN)];
  const [records] = await train(runs, [1, 1], 1);
  assert.equal(records![0]!.skipped, true);
  for (const { state } of runs) {
    assert.deepEqual([...state.now.weights], [1, 2]);
    assert.deepEqual([state.progression.step, state.progression.skippedSteps], [1, 1]);
  }
});
