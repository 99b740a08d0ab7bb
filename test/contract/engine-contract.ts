/** What every engine owes: run against each implementation by test/unit/engine/<name>-engine.test.ts. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { createArena, type Arena } from '../../src/core/arena.js';
import { evaluationCount } from '../../src/core/layout.js';
import type { Engine, EngineOptions } from '../../src/engine/engine.js';
import { modelNamed, relativeDistance, someWeights, writeSamples } from '../unit/engine/support.js';

const model = 'two convolutions of the same size, activations in a row';
const microBatchSize = 5;

/** @param passesNaN - false for TensorFlow.js and libtensorflow, whose max pooling drops a NaN: `NaN > largest` is false */
export function engineContract(create: (options: EngineOptions) => Promise<Engine>, passesNaN = true): void {
  describe('engine contract', () => {
    let arena: Arena;
    let engine: Engine;
    let weights: Float32Array;
    let sum: Float32Array;

    before(async () => {
      arena = createArena();
      engine = await create({ model: modelNamed(model), microBatchSize, arena });
      weights = someWeights(engine.layout, arena);
      sum = arena.float32(engine.layout.parameterCount + engine.layout.extraCount);
    });

    const gradientSum = async (m: number): Promise<Float32Array> => {
      sum.fill(NaN); //                                     what is there before must not matter
      await engine.setWeights(weights);
      await engine.gradientSum(m, sum);
      return sum.slice();
    };

    it('gives the same bits twice, whatever it computed in between', async () => {
      writeSamples(engine);
      const first = await gradientSum(3);
      writeSamples(engine, 1);
      await gradientSum(microBatchSize);
      writeSamples(engine);
      assert.deepEqual(await gradientSum(3), first);
    });

    it('does not look at samples behind a short micro-batch', async () => {
      writeSamples(engine);
      const clean = await gradientSum(2);
      engine.x.fill(NaN, (engine.x.length / microBatchSize) * 2);
      assert.deepEqual(await gradientSum(2), clean);
    });

    it('leaves the weights and the samples alone', async () => {
      writeSamples(engine);
      const [w, x, y] = [weights.slice(), engine.x.slice(), engine.y.slice()];
      await gradientSum(microBatchSize);
      assert.deepEqual([weights.slice(), engine.x.slice(), engine.y.slice()], [w, x, y]);
    });

    it('sums over samples: the sum of parts is the whole', async () => {
      const whole = new Float64Array(sum.length);
      const sampleSize = engine.x.length / microBatchSize;
      writeSamples(engine);
      const samples = engine.x.slice();
      const labels = engine.y.slice();
      const together = await gradientSum(microBatchSize);
      for (let b = 0; b < microBatchSize; b++) {
        engine.x.set(samples.subarray(b * sampleSize, (b + 1) * sampleSize));
        engine.y[0] = labels[b]!;
        (await gradientSum(1)).forEach((value, i) => (whole[i]! += value));
      }
      assert.ok(relativeDistance(together, whole) < 1e-6);
      assert.equal(together.at(-1), whole.at(-1));
    });

    it('multiplies gradients, and nothing else, with the loss scale, if it can', async () => {
      writeSamples(engine);
      const plain = await gradientSum(microBatchSize);
      const scaling = await create({ model: modelNamed(model), microBatchSize, arena, scalesLoss: true });
      writeSamples(scaling);
      await scaling.setWeights(weights);
      for (const scale of scaling.setLossScale ? [1, 4096, 0.5] : []) {
        scaling.setLossScale!(scale);
        await scaling.gradientSum(microBatchSize, sum);
        const { parameterCount } = scaling.layout;
        const expected = plain.map((value, i) => (i < parameterCount ? value * scale : value));
        if (scaling.deterministic) assert.deepEqual(sum.slice(), expected, `scale ${scale}`);
        else assert.ok(relativeDistance(sum, expected) < 1e-6, `scale ${scale}`);
      }
    });

    it('evaluates to the loss and the count that a gradient has behind it', async () => {
      writeSamples(engine);
      const extras = arena.float32(evaluationCount);
      await engine.setWeights(weights);
      await engine.evaluate(4, extras);
      assert.deepEqual(extras.slice(), (await gradientSum(4)).slice(-evaluationCount));
    });

    it('is the derivative of the loss (central differences, every tensor of a model without ReLU)', async () => {
      const smooth = await create({
        model: modelNamed('pooling behind tanh, a kernel of 7 rows'),
        microBatchSize,
        arena,
      });
      const point = someWeights(smooth.layout, arena);
      const gradient = arena.float32(smooth.layout.parameterCount + smooth.layout.extraCount);
      const extras = arena.float32(evaluationCount);
      writeSamples(smooth);
      await smooth.setWeights(point);
      await smooth.gradientSum(4, gradient);
      const lossAt = async (i: number, value: number): Promise<number> => {
        const kept = point[i]!;
        point[i] = value;
        await smooth.setWeights(point);
        await smooth.evaluate(4, extras);
        point[i] = kept;
        return extras[0]!;
      };
      const h = 2 ** -9; //                                     the loss has 22 bits: 1e-4 of the slope is rounding
      for (const { name, offset, size } of smooth.layout.tensors) {
        const i = offset + Math.floor(size / 2);
        const slope = ((await lossAt(i, point[i]! + h)) - (await lossAt(i, point[i]! - h))) / (2 * h);
        assert.ok(Math.abs(slope - gradient[i]!) < 5e-4, `${name}: ${gradient[i]} but the slope is ${slope}`);
      }
    });

    it(
      'passes a NaN on, from a pixel and from a weight, to the loss and the gradient',
      { skip: passesNaN ? false : 'max pooling of this engine loses a NaN' },
      async () => {
        for (const place of ['pixel', 'weight']) {
          writeSamples(engine);
          const kept = weights[3]!;
          if (place === 'pixel') engine.x[20] = NaN;
          else weights[3] = NaN;
          const gradient = await gradientSum(2);
          weights[3] = kept;
          assert.ok(Number.isNaN(gradient.at(-evaluationCount)), `loss, from a ${place}`);
          assert.ok(gradient.subarray(0, -evaluationCount).some(Number.isNaN), `gradient, from a ${place}`);
        }
      },
    );

    it('adds with one rounding to float32 an element', () => {
      const target = arena.float32(7);
      const source = arena.float32(7);
      target.set([1, 16_777_216, 0.1, -0, 3.5e38, NaN, 1e-45]);
      source.set([2 ** -24, 1, 0.2, -0, 3.4e38, 1, 1e-45]);
      const expected = Float32Array.from(target, (value, i) => value + source[i]!);
      engine.add(target, source);
      assert.deepEqual(target.slice(), expected);
      assert.throws(() => engine.add(target, source.subarray(1)), RangeError);
    });

    it('keeps no tensors', async () => {
      await gradientSum(3);
      const count = engine.tensorCount();
      for (let i = 0; i < 5; i++) await gradientSum(3);
      assert.equal(engine.tensorCount(), count);
    });
  });
}
