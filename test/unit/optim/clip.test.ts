import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { layoutOf } from '../../../src/core/layout.js';
import { randomStream } from '../../../src/core/random.js';
import { clipFactor, gradientNorm, isFiniteVector } from '../../../src/optim/clip.js';

const layout = layoutOf([
  { name: 'a', shape: [5, 7] },
  { name: 'b', shape: [7] },
  { name: 'c', shape: [100] },
]);

function gradient(): Float32Array {
  const random = randomStream(5, 'clip.test');
  return new Float32Array(layout.parameterCount + 2).map(() => random.uniform() - 0.5);
}

describe('gradientNorm', () => {
  it('is the L2 norm of the mean, added up in the documented order, without the extras behind the parameters', () => {
    const sum = gradient();
    sum.set([1e30, NaN], layout.parameterCount);
    let total = 0;
    for (const { offset, size } of layout.tensors) {
      const lanes = Array<number>(16).fill(0);
      for (let i = 0; i < size; i++) lanes[i % 16]! += sum[offset + i]! ** 2;
      const tree = (p: readonly number[]): number =>
        p.length === 1 ? p[0]! : tree(p.slice(0, p.length / 2)) + tree(p.slice(p.length / 2));
      total += tree(lanes);
    }
    assert.equal(gradientNorm(sum, layout, 8), Math.sqrt(total) / 8);
    const plain = Math.sqrt(sum.subarray(0, layout.parameterCount).reduce((s, g) => s + g * g, 0)) / 8;
    assert.ok(Math.abs(gradientNorm(sum, layout, 8) / plain - 1) < 1e-12);
  });

  it('neither overflows nor underflows where float32 would, and shows what is not finite', () => {
    const flat = layoutOf([{ name: 'w', shape: [2] }]);
    assert.equal(gradientNorm(Float32Array.of(3e30, 4e30), flat, 1) / Math.fround(1e30) > 4.99, true);
    assert.ok(Math.abs(gradientNorm(Float32Array.of(3e-40, 4e-40), flat, 1) / 5e-40 - 1) < 1e-5);
    assert.equal(gradientNorm(Float32Array.of(1, Infinity), flat, 1), Infinity);
    assert.ok(Number.isNaN(gradientNorm(Float32Array.of(1, NaN), flat, 1)));
  });
});

describe('clipFactor', () => {
  it('shortens what is too long and nothing else', () => {
    assert.equal(clipFactor(4, 1), 0.25);
    assert.equal(clipFactor(1, 1), 1);
    assert.equal(clipFactor(0, 1), 1);
    assert.equal(clipFactor(4, undefined), 1);
  });
});

describe('isFiniteVector', () => {
  it('sees a single bad element anywhere', () => {
    const values = gradient();
    assert.ok(isFiniteVector(values));
    for (const bad of [NaN, Infinity, -Infinity]) {
      for (const i of [0, 77, values.length - 1]) {
        const spoiled = values.slice();
        spoiled[i] = bad;
        assert.equal(isFiniteVector(spoiled), false);
      }
    }
    assert.ok(isFiniteVector(new Float32Array(0)));
    assert.ok(isFiniteVector(Float32Array.of(3.4e38, -3.4e38, 1e-45)));
  });
});
