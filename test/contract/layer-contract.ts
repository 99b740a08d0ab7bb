/** Every kernel of an engine, layer by layer, against TensorFlow.js in plain JavaScript. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createArena } from '../../src/core/arena.js';
import { evaluationCount, trainedPart, type ParameterLayout } from '../../src/core/layout.js';
import { randomStream } from '../../src/core/random.js';
import type { Engine, EngineOptions } from '../../src/engine/engine.js';
import { reference } from '../unit/engine/reference.js';
import { relativeDistance, someWeights, writeSamples } from '../unit/engine/support.js';
import { layerModels, ownModels, type LayerModel } from './layer-models.js';

const microBatchSize = 7;
/** Relative, by tensor, in the L2 norm; gradients that cancel to less than this of the whole are compared with that. */
const tolerance = 2e-5;
const negligible = 1e-5;

/** How far a slope of the loss along a tensor's gradient may be off, relative: the loss has 23 bits. */
const slopeTolerance = 4e-3;

/**
 * @param skip - names of models that this engine does not compute, each with the reason
 * @param withoutNaN - names of those in which it does not compute with a NaN
 * @param ofSlopes - their tolerance: larger where all that leads to the loss is in float32
 */
export function layerContract(
  create: (options: EngineOptions) => Promise<Engine>,
  skip: Readonly<Record<string, string>> = {},
  withoutNaN: ReadonlySet<string> = new Set(),
  ofSlopes = slopeTolerance,
): void {
  describe('layer contract', () => {
    for (const [name, make] of Object.entries(layerModels)) {
      it(`${name}: loss and every gradient agree with TensorFlow.js`, { skip: skip[name] ?? false }, async () => {
        const model = make();
        const arena = createArena();
        const engine = await create({ model: model.spec, microBatchSize, arena });
        const { parameterCount, extraCount } = engine.layout;
        const weights = someWeights(engine.layout, arena);
        const sum = arena.float32(parameterCount + extraCount);
        const extras = arena.float32(evaluationCount);
        await engine.setWeights(weights);
        for (const m of [microBatchSize, 1]) {
          fill(engine, model, m);
          sum.fill(NaN); //                                     what is there before must not matter
          await engine.gradientSum(m, sum);
          const theirs = await reference(model.spec, engine.layout, weights, engine, m);
          compare(engine.layout, sum, theirs, m);
          await engine.evaluate(m, extras);
          const evaluated = await reference(model.spec, engine.layout, weights, engine, m, false);
          assert.ok(Math.abs(extras[0]! - evaluated[0]!) <= 2e-6 * Math.abs(evaluated[0]!), `evaluated loss, ${m}`);
          assert.equal(extras[1], evaluated[1], 'correct count of an evaluation');
        }
      });
    }

    for (const [name, make] of Object.entries({ ...layerModels, ...ownModels })) {
      const skipped = { skip: skip[name] ?? false };
      it(`${name}: the same bits twice and at any place; a NaN comes through`, skipped, async () => {
        const { engine, model, sum, gradient } = await prepared(create, make);
        fill(engine, model, 1);
        const first = await gradient(3);
        fill(engine, model, 2);
        await gradient(microBatchSize);
        fill(engine, model, 1);
        engine.x.fill(NaN, (engine.x.length / microBatchSize) * 3); // behind the samples
        assert.deepEqual(await gradient(3), first);
        if (withoutNaN.has(name)) return;
        engine.x[engine.x.length / microBatchSize + 1] = NaN;
        await gradient(3);
        assert.ok(Number.isNaN(sum[engine.layout.parameterCount]!), 'the loss is NaN');
      });
    }

    for (const [name, make] of Object.entries(ownModels)) {
      it(`${name}: every gradient is the slope of the loss`, { skip: skip[name] ?? false }, async () => {
        const { engine, model, sum, weights, gradient } = await prepared(create, make);
        fill(engine, model, 1);
        const { parameterCount } = engine.layout;
        const g = await gradient(5);
        for (const { name: tensor, offset, size } of trainedPart(engine.layout).tensors) {
          const own = g.subarray(offset, offset + size);
          const length = Math.sqrt(own.reduce((squares, value) => squares + value * value, 0));
          if (length < 1e-4) continue; //                       behind normalisation a bias moves nothing
          const kept = weights.slice();
          const lossAt = async (h: number): Promise<number> => {
            own.forEach((value, i) => (weights[offset + i] = kept[offset + i]! + (h * value) / length));
            await engine.setWeights(weights);
            await engine.gradientSum(5, sum);
            return sum[parameterCount]!;
          };
          const h = 2 ** -6;
          const near = ((await lossAt(h)) - (await lossAt(-h))) / (2 * h);
          const far = ((await lossAt(2 * h)) - (await lossAt(-2 * h))) / (4 * h);
          const slope = (4 * near - far) / 3; //                Richardson: the error of third order cancels
          weights.set(kept);
          assert.ok(Math.abs(slope / length - 1) < ofSlopes, `${tensor}: ${length}, but the slope is ${slope}`);
        }
      });
    }
  });
}

async function prepared(create: (options: EngineOptions) => Promise<Engine>, make: () => LayerModel) {
  const model = make();
  const arena = createArena();
  const engine = await create({ model: model.spec, microBatchSize, arena, seed: 3 });
  const weights = someWeights(engine.layout, arena);
  const sum = arena.float32(engine.layout.parameterCount + engine.layout.extraCount);
  const gradient = async (m: number): Promise<Float32Array> => {
    await engine.setWeights(weights);
    await engine.gradientSum(m, sum);
    return sum.slice();
  };
  return { engine, model, weights, sum, gradient };
}

function compare(layout: ParameterLayout, ours: Float32Array, theirs: Float32Array, m: number): void {
  const { parameterCount } = layout;
  const whole = Math.sqrt(theirs.subarray(0, parameterCount).reduce((sum, g) => sum + g * g, 0));
  for (const { name, offset, size } of trainedPart(layout).tensors) {
    const [a, b] = [ours, theirs].map((sum) => sum.subarray(offset, offset + size)) as [Float32Array, Float32Array];
    const distance = relativeDistance(a, b);
    const length = Math.sqrt(b.reduce((sum, g) => sum + g * g, 0));
    assert.ok(distance < tolerance || distance * length < negligible * whole, `${name}, ${m} samples: ${distance}`);
    assert.ok(a.every(Number.isFinite), `${name} is finite`);
  }
  assert.ok(whole > 0, 'there is a gradient');
  const [loss, expected] = [ours[parameterCount]!, theirs[parameterCount]!];
  assert.ok(Math.abs(loss - expected) <= 2e-6 * Math.abs(expected), `loss ${loss}, not ${expected}`);
  assert.equal(ours[parameterCount + 1], theirs[parameterCount + 1], 'correct count');
}

/** Samples, classes and targets that suit the model. */
export function fill(engine: Pick<Engine, 'x' | 'y' | 'targets'>, { vocabulary }: LayerModel, salt: number): void {
  writeSamples(engine, salt);
  const random = randomStream(8, 'targets', salt);
  if (vocabulary !== undefined)
    for (let i = 0; i < engine.x.length; i++) engine.x[i] = Math.floor(vocabulary * random.uniform());
  for (let i = 0; i < engine.targets.length; i++) engine.targets[i] = random.uniform() < 0.5 ? 0 : 1;
}
