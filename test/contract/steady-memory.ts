/** What an engine owes over a long run: run by the tests of engines that compute fast enough for a thousand steps. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { createArena } from '../../src/core/arena.js';
import type { Engine, EngineOptions } from '../../src/engine/engine.js';
import type { ModelSpec } from '../../src/engine/model-spec.js';
import { someWeights, writeSamples } from '../unit/engine/support.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const steps = 1_000;
/** What compiled code and its statistics may take; two kilobytes a step would be more. */
const growthMax = 2_000_000;

/** Bytes that are in use; what was freed is given back in threads of its own, so the least of a few looks counts. */
async function used(): Promise<number> {
  let least = Infinity;
  for (let look = 0; look < 4; look++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    least = Math.min(least, heapUsed + external + arrayBuffers);
  }
  return least;
}

export function keepsMemory(what: string, model: () => ModelSpec, create: (options: EngineOptions) => Promise<Engine>) {
  it(`${what}: the same tensors and the same memory after ${steps} steps, and the same bits`, async () => {
    const arena = createArena();
    const engine = await create({ model: model(), microBatchSize: 2, arena, seed: 1 });
    const weights = someWeights(engine.layout, arena);
    const sum = arena.float32(engine.layout.parameterCount + engine.layout.extraCount);
    const extras = arena.float32(2);
    writeSamples(engine);
    const step = async (): Promise<void> => {
      await engine.setWeights(weights);
      await engine.gradientSum(2, sum, { epoch: 1, position: 6 });
      await engine.evaluate(2, extras);
    };
    for (let i = 0; i < 200; i++) await step(); //                   until everything is compiled
    const first = sum.slice();
    const [tensors, bytes, reserved] = [engine.tensorCount(), await used(), arena.reserve(0)];
    for (let i = 0; i < steps; i++) await step();
    assert.deepEqual(sum.slice(), first);
    assert.deepEqual([engine.tensorCount(), arena.reserve(0)], [tensors, reserved]);
    const growth = (await used()) - bytes;
    assert.ok(growth < growthMax, `${growth} bytes more after ${steps} steps`);
  });
}
