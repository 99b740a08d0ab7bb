import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as tfl from '@tensorflow/tfjs-layers';

import { layoutOf } from '../../../src/core/layout.js';
import { initialiseWeights } from '../../../src/engine/initial-weights.js';
import '../../../src/engine/tensorflow.js';
import { initialiserNames, initialiserOf } from '../../../src/engine/initialisers.js';

/** What an initialiser, as TensorFlow.js writes it, draws for 60 by 80 values. */
function draw(initialiser: { getClassName(): string; getConfig(): object }, shape = [60, 80]): Float32Array {
  const config = initialiser.getConfig() as Record<string, unknown>;
  const values = new Float32Array(shape.reduce((size, d) => size * d, 1));
  initialiserOf({ class_name: initialiser.getClassName(), config })!({ name: 'a.kernel', shape }, 3, values);
  return values;
}

function moments(values: Float32Array): { mean: number; deviation: number; largest: number } {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance), largest: Math.max(...values.map(Math.abs)) };
}

/** A normal distribution that is cut off at two deviations has this deviation. */
const truncated = 0.8796;
const of = tfl.initializers;

describe('initialisers', () => {
  const expected: Readonly<Record<string, readonly [tfl.layers.Layer | object, number, number, number]>> = {
    randomUniform: [of.randomUniform({ minval: 1, maxval: 3 }), 2, 2 / Math.sqrt(12), 3],
    randomNormal: [of.randomNormal({ mean: 0.5, stddev: 2 }), 0.5, 2, 12],
    truncatedNormal: [of.truncatedNormal({ mean: 0, stddev: 2 }), 0, 2 * truncated, 4],
    glorotUniform: [of.glorotUniform({}), 0, Math.sqrt(2 / 140), Math.sqrt(6 / 140)],
    glorotNormal: [of.glorotNormal({}), 0, truncated * Math.sqrt(2 / 140), 2 * Math.sqrt(2 / 140)],
    heNormal: [of.heNormal({}), 0, truncated * Math.sqrt(2 / 60), 2 * Math.sqrt(2 / 60)],
    heUniform: [of.heUniform({}), 0, Math.sqrt(2 / 60), Math.sqrt(6 / 60)],
    leCunUniform: [of.leCunUniform({}), 0, Math.sqrt(1 / 60), Math.sqrt(3 / 60)],
  };
  for (const [name, [initialiser, mean, deviation, limit]] of Object.entries(expected)) {
    it(`${name}: the mean, the deviation and the limit that TensorFlow.js gives it`, () => {
      const found = moments(draw(initialiser as Parameters<typeof draw>[0]));
      assert.ok(Math.abs(found.mean - mean) < 0.05 * deviation, `mean ${found.mean}`);
      assert.ok(Math.abs(found.deviation / deviation - 1) < 0.03, `deviation ${found.deviation}`);
      assert.ok(found.largest <= limit * (1 + 1e-6) && found.largest > 0.5 * limit, `largest ${found.largest}`);
    });
  }

  it('constants, and a matrix of ones on the diagonal', () => {
    assert.ok(draw(of.zeros()).every((v) => v === 0) && draw(of.ones()).every((v) => v === 1));
    assert.ok(draw(of.constant({ value: 2.5 })).every((v) => v === 2.5));
    assert.deepEqual([...draw(of.identity({ gain: 2 }), [2, 2])], [2, 0, 0, 2]);
  });

  for (const shape of [
    [40, 12],
    [12, 40],
    [3, 3, 2, 9],
  ]) {
    it(`orthogonal: ${shape.join(' by ')}`, () => {
      const values = draw(of.orthogonal({ gain: 2 }), shape);
      const columns = shape.at(-1)!;
      const rows = values.length / columns;
      const at = (i: number, k: number): number =>
        rows < columns ? values[i * columns + k]! : values[k * columns + i]!;
      const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
      for (let i = 0; i < count; i++)
        for (let j = 0; j <= i; j++) {
          let product = 0;
          for (let k = 0; k < length; k++) product += at(i, k) * at(j, k);
          assert.ok(Math.abs(product - (i === j ? 4 : 0)) < 1e-5, `${i} ${j}: ${product}`);
        }
    });
  }

  it('depends on the seed and the name alone, to the bit', () => {
    assert.deepEqual(draw(of.orthogonal({ gain: 1 })), draw(of.orthogonal({ gain: 1, seed: 77 })));
    assert.ok(initialiserNames.every((name) => initialiserOf({ class_name: name }) !== undefined));
    assert.equal(initialiserOf({ class_name: 'Mine' }), undefined);
  });
});

describe('initialiseWeights with the JSON of a model', () => {
  const drawn = (layer: tfl.layers.Layer, names: readonly (readonly [string, readonly number[]])[]) => {
    const topology: unknown = tfl.sequential({ layers: [layer] }).toJSON(null, false);
    const layout = layoutOf(names.map(([name, shape]) => ({ name, shape })));
    const weights = new Float32Array(layout.weightCount);
    initialiseWeights(layout, 4, weights, topology);
    return layout.tensors.map(({ offset, size }) => weights.subarray(offset, offset + size));
  };

  it('takes what a layer says of each of its weights', () => {
    const cell = tfl.layers.simpleRNN({
      ...{ name: 'rnn.1', inputShape: [4, 3], units: 2, kernelInitializer: 'ones', recurrentInitializer: 'zeros' },
      biasInitializer: tfl.initializers.constant({ value: 4 }),
    });
    const [kernel, recurrent, bias] = drawn(cell, [
      ['rnn.1.kernel', [3, 2]],
      ['rnn.1.recurrent_kernel', [2, 2]],
      ['rnn.1.bias', [2]],
    ]);
    assert.ok(kernel!.every((v) => v === 1) && recurrent!.every((v) => v === 0) && bias!.every((v) => v === 4));
  });

  it('opens the forget gate of an LSTM, inside of a wrapper too', () => {
    const cell = tfl.layers.lstm({ units: 2, recurrentInitializer: 'zeros', unitForgetBias: true });
    const layer = tfl.layers.bidirectional({ name: 'both', layer: cell, mergeMode: 'concat', inputShape: [4, 3] });
    const [bias, recurrent] = drawn(layer, [
      ['both.forward_lstm.bias', [8]],
      ['both.backward_lstm.recurrent_kernel', [2, 8]],
    ]);
    assert.deepEqual([...bias!], [0, 0, 1, 1, 0, 0, 0, 0]);
    assert.ok(recurrent!.every((v) => v === 0));
  });

  it('refuses an initialiser that it does not know, by name', () => {
    const layout = layoutOf([{ name: 'dense.kernel', shape: [2, 3] }]);
    const topology = { config: { name: 'dense', kernel_initializer: { class_name: 'Mine', config: {} } } };
    assert.throws(() => initialiseWeights(layout, 1, new Float32Array(6), topology), {
      code: 'TENSOR_WITHOUT_INITIALISER',
      message: /dense\.kernel.*Mine/,
    });
  });
});
