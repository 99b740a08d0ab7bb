import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { philox4x32, randomStream } from '../../../src/core/random.js';

function philox(counter: number[], key: [number, number]): string {
  const output = new Uint32Array(4);
  philox4x32(Uint32Array.from(counter), key[0], key[1], output);
  return Array.from(output, (word) => word.toString(16).padStart(8, '0')).join(' ');
}

describe('randomStream', () => {
  it('is Philox 4x32-10: the known answers of Random123', () => {
    const ones = 0xffffffff;
    assert.equal(philox([0, 0, 0, 0], [0, 0]), '6627e8d5 e169c58d bc57ac4c 9b00dbd8');
    assert.equal(philox([ones, ones, ones, ones], [ones, ones]), '408f276d 41c83b0e a20bc7c6 6d5451fd');
    assert.equal(
      philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
      'd16cfe09 94fdcceb 5001e420 24126ea1',
    );
  });

  it('is a pure function of seed and key', () => {
    const draw = (seed: number, ...key: (string | number)[]) => {
      const random = randomStream(seed, ...key);
      return Array.from({ length: 10 }, () => random.uint32()).join();
    };
    assert.equal(draw(7, 'a', 1), draw(7, 'a', 1));
    const others = [
      draw(7, 'a', 1),
      draw(8, 'a', 1),
      draw(7, 'b', 1),
      draw(7, 'a', 2),
      draw(7, 'a', '1'),
      draw(7, 'a1'),
      draw(7),
    ];
    assert.equal(new Set(others).size, others.length);
  });

  it('gives the same numbers in every version', () => {
    const random = randomStream(42, 'conv1.kernel');
    assert.deepEqual(
      [random.uint32(), random.uint32(), random.uniform(), random.uniform()],
      [751935084, 2551172744, 0.31321087746372733, 0.24778579638706644],
    );
  });

  it('refuses keys that do not identify anything', () => {
    assert.throws(() => randomStream(0.5), RangeError);
    assert.throws(() => randomStream(1, NaN), RangeError);
  });

  it('is uniform: mean, variance and a chi-square over 256 cells within six standard deviations', () => {
    const count = 200_000;
    const random = randomStream(3, 'uniform');
    const cells = new Float64Array(256);
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < count; i++) {
      const u = random.uniform();
      assert.ok(u >= 0 && u < 1);
      sum += u - 0.5;
      squares += (u - 0.5) ** 2;
      cells[Math.floor(u * 256)]!++;
    }
    assert.ok(Math.abs(sum / count) < 6 * Math.sqrt(1 / 12 / count), `mean ${0.5 + sum / count}`);
    assert.ok(Math.abs(squares / count - 1 / 12) < 6 * Math.sqrt(1 / 180 / count), `variance ${squares / count}`);
    const chiSquare = cells.reduce((total, n) => total + (n - count / 256) ** 2 / (count / 256), 0);
    assert.ok(Math.abs(chiSquare - 255) < 6 * Math.sqrt(2 * 255), `chi-square ${chiSquare}`);
  });

  it('has balanced bits, and neighbours and sibling streams that do not correlate', () => {
    const count = 100_000;
    const bitCounts = new Float64Array(32);
    const [a, b] = [randomStream(4, 'tensor', 0), randomStream(4, 'tensor', 1)];
    let previous = a.uint32();
    let serial = 0;
    let crossing = 0;
    for (let i = 0; i < count; i++) {
      const word = a.uint32();
      for (let bit = 0; bit < 32; bit++) bitCounts[bit]! += (word >>> bit) & 1;
      serial += (word / 2 ** 32 - 0.5) * (previous / 2 ** 32 - 0.5);
      crossing += (word / 2 ** 32 - 0.5) * (b.uint32() / 2 ** 32 - 0.5);
      previous = word;
    }
    const deviation = Math.sqrt(count) / 12; //                   of a sum of products of two independent uniforms
    assert.ok(
      bitCounts.every((n) => Math.abs(n - count / 2) < 6 * Math.sqrt(count / 4)),
      `bits ${bitCounts.join()}`,
    );
    assert.ok(Math.abs(serial) < 6 * deviation, `serial ${serial}`);
    assert.ok(Math.abs(crossing) < 6 * deviation, `crossing ${crossing}`);
  });
});
