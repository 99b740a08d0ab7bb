import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createArena } from '../../src/core/arena.js';
import { EngineThread } from '../../src/engine/engine-thread.js';
import type { ComputeJob } from '../../src/engine/job.js';
import { modelNamed, someImages, someWeights } from '../unit/engine/support.js';
import { testGpu, testGpuMissing } from '../unit/engine/test-gpu.js';

const skip = await testGpuMissing();

const samples = { train: someImages(50, 'train'), test: someImages(30, 'test') };
const shared = { microBatchSize: 4, order: { seed: 9, shuffle: 'epoch' }, gpu: testGpu, samples } as const;

/** A thread with a job. It would abort this process if it were ended in the middle of a call of Dawn. */
async function threadWithJob(): Promise<{ readonly thread: EngineThread; readonly job: ComputeJob }> {
  const arena = createArena();
  const thread = await EngineThread.start({ engine: 'webgpu', model: modelNamed('mlp'), arena, ...shared });
  const weights = someWeights(thread.layout, arena);
  const range = { first: 0, end: 10 };
  return { thread, job: { purpose: 'gradient', epoch: 0, firstPosition: 0, sampleCount: 40, range, weights } };
}

describe('an EngineThread on a GPU', { skip }, () => {
  it('computes in several threads at once what it computes in one', async () => {
    const several = await Promise.all([threadWithJob(), threadWithJob()]);
    const answers = await Promise.all(several.map(({ thread, job }) => thread.compute(job)));
    const [one, other] = answers.map(({ nodes }) => nodes.map(({ values }) => values.slice()));
    assert.deepEqual(one, other);
    for (const { thread } of several) await thread.stop();
  });

  it('ends in the middle of a job, too', async () => {
    for (let i = 0; i < 3; i++) {
      const { thread, job } = await threadWithJob();
      if (i === 0) await thread.compute(job);
      const running = assert.rejects(thread.compute(job), /stopped/);
      await thread.stop();
      await running;
      await assert.rejects(thread.compute(job), /stopped/);
    }
  });
});
