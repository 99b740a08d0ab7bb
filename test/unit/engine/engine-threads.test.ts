import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createArena } from '../../../src/core/arena.js';
import { EngineThreads } from '../../../src/engine/engine-threads.js';
import { modelNamed, someImages, someWeights } from './support.js';

const options = {
  engine: 'wasm',
  model: modelNamed('mlp'),
  microBatchSize: 4,
  samples: { train: someImages(50, 'train'), test: someImages(30, 'test') },
  order: { seed: 9, shuffle: 'epoch' },
} as const;

/** Nodes of ranges that threads cut in several ways, some of them empty, by this number of threads. */
async function nodesOf(threads: number): Promise<unknown> {
  const arena = createArena();
  const engine = await EngineThreads.start({ ...options, arena, threads });
  try {
    const weights = someWeights(engine.layout, arena);
    const job = { epoch: 2, firstPosition: 2, sampleCount: 27, weights }; // 6 full micro-batches and 3 samples
    const nodes: unknown[] = [];
    for (const purpose of ['gradient', 'evaluation'] as const)
      for (const [first, end] of [
        [0, 7],
        [1, 6],
        [3, 5],
        [6, 7],
        [2, 2],
      ] as const) {
        const computed = await engine.compute({ ...job, purpose, range: { first, end } });
        nodes.push(computed.nodes.map((node) => ({ ...node, values: [...node.values] })));
      }
    return nodes;
  } finally {
    await engine.stop();
  }
}

describe('EngineThreads', () => {
  it('give the same nodes with the same bits, however many there are', async () => {
    assert.deepEqual(await nodesOf(3), await nodesOf(1));
  });

  it('fail as one, and compute again after a job that failed', async () => {
    const arena = createArena();
    const engine = await EngineThreads.start({ ...options, arena, threads: 2 });
    const job = {
      purpose: 'gradient',
      epoch: 0,
      firstPosition: 0,
      sampleCount: 8,
      range: { first: 0, end: 2 },
    } as const;
    await assert.rejects(engine.compute({ ...job, weights: new Float32Array(3) }));
    const { nodes } = await engine.compute({ ...job, weights: someWeights(engine.layout, arena) });
    assert.deepEqual(
      nodes.map(({ first, end }) => [first, end]),
      [[0, 2]],
    );
    await engine.stop();
    await assert.rejects(engine.compute({ ...job, weights: arena.float32(engine.layout.weightCount) }), /stopped/);
  });

  it('stop those that started when one does not', async () => {
    const model = { ...options.model, topology: { class_name: 'Sequential', config: [] } };
    await assert.rejects(EngineThreads.start({ ...options, model, arena: createArena(), threads: 2 }));
  });
});
