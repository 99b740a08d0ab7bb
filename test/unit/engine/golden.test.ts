import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

import { createArena } from '../../../src/core/arena.js';
import { packageRoot } from '../../../src/core/paths.js';
import { imagesDataset } from '../../../src/data/encoded-images.js';
import { resolveDataset } from '../../../src/data/sources.js';
import { evaluationCount } from '../../../src/core/layout.js';
import { buildModelSpec } from '../../../src/engine/models/index.js';
import { PlanEngine } from '../../../src/engine/plan-engine.js';
import { readSafetensors, weightsFrom } from '../../../src/store/safetensors.js';

const golden = join(packageRoot, 'test/fixtures/golden');

/** What test/fixtures/golden/momentum.json says. */
interface Trajectory {
  readonly lr: number;
  readonly momentum: number;
  readonly globalBatchSize: number;
  readonly steps: number;
  readonly lossPerStep: readonly number[];
  readonly distanceMoved: number;
}

it("five steps with momentum on MNIST follow PyTorch's in float64, and closely", async () => {
  const truth = JSON.parse(readFileSync(join(golden, 'momentum.json'), 'utf8')) as Trajectory;
  const model = buildModelSpec('lenet5');
  const arena = createArena();
  const microBatchSize = 64;
  const engine = await PlanEngine.create('wasm', { model, microBatchSize, arena });
  const { parameterCount } = engine.layout;
  const read = async (name: string) => weightsFrom(await readSafetensors(join(golden, name)), engine.layout, name);
  const weights = arena.float32(parameterCount);
  weights.set(await read('init.safetensors'));
  const sum = arena.float32(parameterCount + evaluationCount);
  const train = imagesDataset((await resolveDataset('mnist')).train, model.inputScaling);
  const exact = Float64Array.from(weights); //                 the update is not what is tested: float64 throughout
  const buffer = new Float64Array(parameterCount);

  for (let step = 0; step < truth.steps; step++) {
    engine.setWeights(weights);
    const total = new Float64Array(sum.length);
    for (let first = 0; first < truth.globalBatchSize; first += microBatchSize) {
      train.read(
        Array.from({ length: microBatchSize }, (_, i) => step * truth.globalBatchSize + first + i),
        engine.x,
        engine.y,
      );
      engine.gradientSum(microBatchSize, sum);
      for (let i = 0; i < sum.length; i++) total[i]! += sum[i]!;
    }
    const loss = total[parameterCount]! / truth.globalBatchSize;
    assert.ok(Math.abs(loss - truth.lossPerStep[step]!) < 1e-6, `loss before step ${step}: ${loss}`);
    for (let i = 0; i < parameterCount; i++) {
      buffer[i] = truth.momentum * buffer[i]! + total[i]! / truth.globalBatchSize;
      exact[i]! -= truth.lr * buffer[i]!;
    }
    weights.set(exact);
  }

  const theirs = await read('momentum.safetensors');
  const distance = Math.sqrt(theirs.reduce((squares, w, i) => squares + (w - exact[i]!) ** 2, 0));
  assert.ok(distance < 1e-4 * truth.distanceMoved, `${distance / truth.distanceMoved} of the distance moved`);
});
