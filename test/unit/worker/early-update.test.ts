import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AllReduce } from '../../../src/collective/all-reduce.js';
import { Abandoned } from '../../../src/collective/faults.js';
import { ownerMap } from '../../../src/collective/owner-map.js';
import { rangesByShare } from '../../../src/collective/ranges.js';
import { plainVectors, Workspace } from '../../../src/collective/workspace.js';
import { createArena } from '../../../src/core/arena.js';
import { layoutOf } from '../../../src/core/layout.js';
import type { RunSpec } from '../../../src/core/run-spec.js';
import type { ComputeJob } from '../../../src/engine/job.js';
import { createOptimizer } from '../../../src/optim/registry.js';
import { memoryLinks, type MemoryLink } from '../../../src/transport/memory/memory-link.js';
import type { PreparedRun } from '../../../src/worker/prepared-run.js';
import { trainStep } from '../../../src/worker/train-step.js';
import { TrainingState } from '../../../src/worker/training-state.js';

const parameterCount = 62;
const extraCount = 2;
const layout = layoutOf([{ name: 'dense.kernel', shape: [parameterCount] }]);
const spec = {
  ...{ dataset: { trainLength: 24, testLength: 4 }, globalBatchSize: 8, microBatchSize: 2, dropLast: false },
  ...{ maxSkippedSteps: 3, topology: 'mesh' },
} as unknown as RunSpec;

/** Of a micro-batch: something that depends on it, on the weights and on the place. */
function gradientOf(index: number, weights: Float32Array): Float32Array {
  return Float32Array.from({ length: parameterCount + extraCount }, (_, i) => (weights[i] ?? 1) / 3 + i * index + 1);
}

function workerOf(): PreparedRun {
  const arena = createArena();
  const state = new TrainingState(arena, layout, createOptimizer('adam', {}), 8);
  state.initialise(
    Float32Array.from({ length: parameterCount }, (_, i) => i / 7),
    0.1,
  );
  const compute = ({ range, weights }: ComputeJob) => {
    const values = gradientOf(range.first, weights);
    for (let i = range.first + 1; i < range.end; i++) plainVectors.add(values, gradientOf(i, weights));
    return Promise.resolve({ nodes: [{ ...range, values }], computeSeconds: 0, tensorCount: 0 });
  };
  return {
    ...{ spec, arena, state, learningRateOf: () => 0.1, workspace: new Workspace(plainVectors) },
    residuals: new Workspace(plainVectors),
    engine: { layout, compute } as unknown as PreparedRun['engine'],
    gradientSum: new Float32Array(parameterCount + extraCount),
    ...{ evaluationSum: new Float32Array(2), best: undefined, checkpoint: undefined },
  };
}

async function step(run: PreparedRun, link: MemoryLink) {
  const options = { topology: 'mesh', length: parameterCount + extraCount, exactTail: extraCount } as const;
  const allReduce = new AllReduce({ link, workspace: run.workspace, nowMs: () => 0 }, options);
  const shares = new Array<number>(link.worldSize).fill(1);
  return trainStep(run, allReduce, { generation: 1, rank: link.rank, shares } as never, () => 0);
}

test('a worker that is lost inside of an update leaves the others as they were, and the step comes out the same', async () => {
  const alone = workerOf();
  await step(alone, memoryLinks(1, 1)[0]!);

  const [slice] = ownerMap('mesh', parameterCount + extraCount, 2);
  const links = memoryLinks(2, 1, (from, _to, { kind }, deliver) =>
    from === 1 && kind === 'sum' ? undefined : deliver(),
  );
  const survivor = workerOf();
  const before = Float32Array.from(survivor.state.now.weights);
  const abandoned = assert.rejects(step(survivor, links[0]!), Abandoned);
  const lost = step(workerOf(), links[1]!);
  await lost;
  const { weights } = survivor.state.spare;
  assert.ok(
    weights.subarray(0, slice!.end).every((w, i) => w !== before[i]),
    'its own slice is updated already',
  );
  assert.ok(
    weights.subarray(slice!.end).every((w) => w === 0),
    'the other one is not',
  );
  for (const link of links) link.close('a worker was lost');
  await abandoned;
  assert.deepEqual(survivor.state.now.weights, before);
  assert.equal(survivor.state.progression.step, 0);

  await step(survivor, memoryLinks(1, 1)[0]!);
  assert.deepEqual(survivor.state.now.weights, alone.state.now.weights);
  assert.deepEqual(survivor.state.now.slots, alone.state.now.slots);
  assert.deepEqual(survivor.state.progression, alone.state.progression);
});

test('nodes that an engine tells of early are sent early, and counted', async () => {
  const links = memoryLinks(2, 1);
  const ranges = rangesByShare(4, [3, 1]);
  const reports = links.map(async (link) => {
    const run = workerOf();
    const compute = async (job: ComputeJob, onNode?: (node: unknown) => void) => {
      const [first, second] = [
        { first: 0, end: 2 },
        { first: 2, end: 3 },
      ].map(({ first, end }) => {
        const values = gradientOf(first, job.weights);
        for (let i = first + 1; i < end; i++) plainVectors.add(values, gradientOf(i, job.weights));
        return { first, end, values };
      });
      if (link.rank === 1)
        return { nodes: [{ first: 3, end: 4, values: gradientOf(3, job.weights) }], computeSeconds: 0, tensorCount: 0 };
      onNode!(first);
      await new Promise(setImmediate);
      return { nodes: [first, second], computeSeconds: 0, tensorCount: 0 };
    };
    const engine = { layout, compute } as unknown as PreparedRun['engine'];
    const worker = { ...run, engine };
    const options = { topology: 'mesh', length: parameterCount + extraCount, exactTail: extraCount } as const;
    const allReduce = new AllReduce({ link, workspace: run.workspace, nowMs: () => 0 }, options);
    const finished = await trainStep(
      worker,
      allReduce,
      { generation: 1, rank: link.rank, shares: [3, 1] } as never,
      () => 0,
    );
    return { moved: finished.moved, weights: run.state.now.weights };
  });
  const [first, second] = await Promise.all(reports);
  assert.equal(ranges[0]!.end, 3);
  assert.ok(first!.moved.hiddenBytes > 0 && first!.moved.hiddenBytes < first!.moved.bytes);
  const alone = workerOf();
  await step(alone, memoryLinks(1, 1)[0]!);
  assert.deepEqual(first!.weights, alone.state.now.weights);
  assert.deepEqual(second!.weights, alone.state.now.weights);
});
