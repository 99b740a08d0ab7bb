import { createArena } from '../core/arena.js';
import { randomStream } from '../core/random.js';
import { createEngine } from './choose-engine.js';
import type { EngineName } from './engine.js';
import { initialiseWeights } from './initial-weights.js';
import type { ModelSpec } from './model-spec.js';

/**
 * An engine with everything that it needs to be timed: initial weights, random pixels, all classes in turn.
 *
 * @param m - samples of the micro-batch
 * @param gpu - as `--gpu` has it, for engines that compute on one
 * @returns forward and backward, once
 * @throws what `createEngine` throws
 */
export async function trialStep(
  name: EngineName,
  model: ModelSpec,
  m: number,
  gpu = 'auto',
): Promise<() => Promise<void>> {
  const arena = createArena();
  const engine = await createEngine(name, { model, microBatchSize: m, arena, gpu });
  const weights = arena.float32(engine.layout.weightCount);
  const sum = arena.float32(engine.layout.parameterCount + engine.layout.extraCount);
  initialiseWeights(engine.layout, 1, weights);
  const random = randomStream(1, model.name);
  for (let i = 0; i < engine.x.length; i++) engine.x[i] = random.uniform();
  for (let i = 0; i < engine.y.length; i++) engine.y[i] = i % 10;
  return async () => {
    await engine.setWeights(weights); //                        new ones in every step
    await engine.gradientSum(m, sum);
  };
}
