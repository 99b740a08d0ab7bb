import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { coveringNodes } from '../../../src/collective/tree.js';
import { createArena, type Arena } from '../../../src/core/arena.js';
import { systemClock } from '../../../src/core/clock.js';
import { imagesDataset } from '../../../src/data/encoded-images.js';
import { epochOrder } from '../../../src/data/epoch-order.js';
import { evaluationCount, stepSumLength } from '../../../src/core/layout.js';
import { EngineInPlace } from '../../../src/engine/engine-in-place.js';
import { EngineThread } from '../../../src/engine/engine-thread.js';
import type { ComputeJob, EngineSetup, JobEngine } from '../../../src/engine/job.js';
import { PlanEngine } from '../../../src/engine/plan-engine.js';
import { modelNamed, someImages, someWeights } from './support.js';
import { sumOfSquares } from '../../../src/optim/norm.js';

const microBatchSize = 4;
const train = someImages(50, 'train');
const test = someImages(30, 'test');
const order = { seed: 9, shuffle: 'epoch' } as const;
const model = modelNamed('mlp');

const places: readonly { readonly name: string; readonly start: (setup: EngineSetup) => Promise<JobEngine> }[] = [
  { name: 'EngineThread', start: (setup) => EngineThread.start(setup) },
  { name: 'EngineInPlace', start: (setup) => EngineInPlace.start(setup, systemClock) },
];

for (const { name, start } of places)
  describe(name, () => {
    let arena: Arena;
    let thread: JobEngine;
    let weights: Float32Array;
    let job: Omit<ComputeJob, 'range'>;

    before(async () => {
      arena = createArena();
      thread = await start({
        engine: 'wasm',
        model,
        microBatchSize,
        arena,
        samples: { train, test },
        order,
      });
      weights = someWeights(thread.layout, arena);
      job = { purpose: 'gradient', withSquares: true, epoch: 2, firstPosition: 16, sampleCount: 27, weights }; // 6 full micro-batches and 3 samples
    });
    after(() => thread.stop());

    /** The sum of one micro-batch, by an engine of our own. */
    async function expected(index: number, purpose: ComputeJob['purpose']): Promise<Float32Array> {
      const engine = await PlanEngine.create('wasm', { model, microBatchSize, arena });
      const sampleAt =
        purpose === 'gradient' ? epochOrder({ ...order, epoch: 2, length: 50 }) : (position: number) => position;
      const positions = Array.from(
        { length: Math.min(4, 27 - 4 * index) },
        (_, i) => 16 * Number(purpose === 'gradient') + 4 * index + i,
      );
      const dataset = imagesDataset(purpose === 'gradient' ? train : test, model.inputScaling);
      dataset.read(positions.map(sampleAt), engine.x, engine.y);
      const sum = arena.float32(purpose === 'gradient' ? stepSumLength(engine.layout) : evaluationCount);
      engine.setWeights(weights);
      if (purpose === 'gradient') {
        engine.gradientSum(positions.length, sum.subarray(0, -1));
        sum[sum.length - 1] = sumOfSquares(sum, 0, engine.layout.parameterCount, 1 / positions.length);
      } else {
        engine.evaluate(positions.length, sum);
      }
      return sum;
    }

    it('says what its engine is', () => {
      assert.deepEqual([thread.name, thread.deterministic, thread.layout.parameterCount], ['wasm', true, 101_770]);
    });

    it('gives the nodes that cover the range, added up as the tree wants it', async () => {
      const { nodes, computeSeconds, tensorCount } = await thread.compute({ ...job, range: { first: 1, end: 7 } });
      assert.deepEqual(
        nodes.map(({ first, end }) => ({ first, end })),
        coveringNodes({ first: 1, end: 7 }, 7),
      );
      assert.deepEqual(
        nodes.map(({ first, end }) => `${first}-${end}`),
        ['1-2', '2-4', '4-7'],
      );
      const leaves = await Promise.all([0, 1, 2, 3, 4, 5, 6].map((i) => expected(i, 'gradient')));
      const add = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, i) => value + b[i]!);
      assert.deepEqual(nodes[0]!.values.slice(), leaves[1]!.slice());
      assert.deepEqual(nodes[1]!.values.slice(), add(leaves[2]!, leaves[3]!).slice());
      assert.deepEqual(nodes[2]!.values.slice(), add(add(leaves[4]!, leaves[5]!), leaves[6]!).slice());
      assert.ok(computeSeconds > 0 && tensorCount === 0);
    });

    it('evaluates the test set in the order of the file', async () => {
      const { nodes } = await thread.compute({
        ...job,
        purpose: 'evaluation',
        firstPosition: 0,
        range: { first: 2, end: 3 },
      });
      assert.deepEqual(nodes[0]!.values.slice(), (await expected(2, 'evaluation')).slice());
    });

    it('computes nothing for an empty range', async () => {
      assert.deepEqual((await thread.compute({ ...job, range: { first: 3, end: 3 } })).nodes, []);
    });

    it('reserves memory for the first job alone', async () => {
      await thread.compute({ ...job, range: { first: 0, end: 7 } });
      const position = arena.reserve(0);
      for (let i = 0; i < 3; i++) await thread.compute({ ...job, range: { first: i, end: 7 } });
      assert.equal(arena.reserve(0), position);
    });

    it('takes one job at a time, and goes on after one that threw', async () => {
      const running = thread.compute({ ...job, range: { first: 0, end: 1 } });
      await assert.rejects(thread.compute({ ...job, range: { first: 1, end: 2 } }), /running already/);
      await running;
      await assert.rejects(
        thread.compute({ ...job, weights: weights.subarray(1), range: { first: 0, end: 1 } }),
        /101769 weights/,
      );
      assert.equal((await thread.compute({ ...job, range: { first: 0, end: 1 } })).nodes.length, 1);
    });
  });

for (const { name, start } of places)
  describe(`${name} that cannot go on`, () => {
    const options = { engine: 'wasm', microBatchSize, samples: { train, test }, order } as const;

    it('fails to start with the fault of the engine', async () => {
      const topology = {
        class_name: 'Sequential',
        config: {
          layers: [{ class_name: 'GaussianNoise', config: { name: 'odd', stddev: 1, batch_input_shape: [null, 4] } }],
        },
      };
      const odd = { name: 'odd', topology, inputScaling: model.inputScaling };
      await assert.rejects(start({ ...options, model: odd, arena: createArena() }), {
        code: 'LAYER_UNTRAINABLE',
        message: /layer odd \(GaussianNoise\)/,
        exitCode: 2,
      });
    });

    it('rejects the job at hand and every later one', async () => {
      const arena = createArena();
      const slow = { engine: 'cpu', model: modelNamed('lenet5') } as const; // seconds: it is stopped in the middle
      const thread = await start({ ...options, ...slow, arena });
      const job: ComputeJob = {
        purpose: 'gradient',
        epoch: 0,
        firstPosition: 0,
        sampleCount: 40,
        range: { first: 0, end: 10 },
        weights: someWeights(thread.layout, arena),
      };
      const running = assert.rejects(thread.compute(job), /stopped/);
      await thread.stop();
      await running;
      await assert.rejects(thread.compute(job), /stopped/);
    });
  });

describe('EngineInPlace', () => {
  const options = { engine: 'wasm', microBatchSize, samples: { train, test }, order, model } as const;
  const job = {
    purpose: 'gradient',
    epoch: 0,
    firstPosition: 0,
    sampleCount: 40,
    range: { first: 0, end: 9 },
  } as const;

  it('leaves the event loop a turn before each micro-batch', async () => {
    const arena = createArena();
    const engine = await EngineInPlace.start({ ...options, arena }, systemClock);
    let turns = 0;
    const count = (): void => void (turns++, (waiting = setImmediate(count)));
    let waiting = setImmediate(count);
    await engine.compute({ ...job, weights: someWeights(engine.layout, arena) });
    clearImmediate(waiting);
    assert.equal(turns, 9);
  });

  it('ends a job in the middle when it is stopped', async () => {
    const arena = createArena();
    const engine = await EngineInPlace.start({ ...options, arena }, systemClock);
    const told: number[] = [];
    const weights = someWeights(engine.layout, arena);
    const running = engine.compute({ ...job, weights }, ({ end }) => {
      told.push(end);
      void engine.stop();
    });
    await assert.rejects(running, /stopped/);
    assert.deepEqual(told, [8], 'of 0-8 and 8-9');
  });
});
