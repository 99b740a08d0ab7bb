import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { epochOrder } from '../../../src/data/epoch-order.js';

function orderOf(seed: number, epoch: number, length: number): number[] {
  const order = epochOrder({ seed, epoch, length, shuffle: 'epoch' });
  return Array.from({ length }, (_, position) => order(position));
}

function isPermutation(order: readonly number[]): boolean {
  const seen = new Uint8Array(order.length);
  return order.every((sample) => sample >= 0 && sample < order.length && seen[sample]!++ === 0);
}

/** How far counts stray from being equal, in standard deviations of the chi-square statistic. */
function unevenness(counts: ArrayLike<number>): number {
  const values = Array.from(counts);
  const expected = values.reduce((sum, n) => sum + n, 0) / values.length;
  const chiSquare = values.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  return (chiSquare - (values.length - 1)) / Math.sqrt(2 * (values.length - 1));
}

describe('epochOrder', () => {
  it('takes every sample exactly once, for any length', () => {
    for (let length = 1; length <= 600; length++)
      assert.ok(isPermutation(orderOf(length, 0, length)), `length ${length}`);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70_000 }), fc.nat(), fc.nat(1000), (length, seed, epoch) =>
        isPermutation(orderOf(seed, epoch, length)),
      ),
      { seed: 1, numRuns: 40 },
    );
  });

  it('is the order of the file without shuffling', () => {
    const order = epochOrder({ seed: 3, epoch: 2, length: 10, shuffle: 'none' });
    assert.deepEqual(
      Array.from({ length: 10 }, (_, i) => order(i)),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
  });

  it('is another one for another seed or epoch, and the same for the same', () => {
    const [a, b, c, again] = [orderOf(7, 0, 1000), orderOf(7, 1, 1000), orderOf(8, 0, 1000), orderOf(7, 0, 1000)];
    assert.deepEqual(a, again);
    for (const [x, y] of [
      [a, b],
      [a, c],
      [b, c],
    ] as const) {
      const equal = x.filter((sample, i) => sample === y[i]).length;
      assert.ok(equal < 12, `${equal} of 1000 positions have the same sample`); // one is expected
    }
  });

  it('is the same in every version', () => {
    assert.deepEqual(orderOf(7, 0, 12), [4, 6, 1, 10, 5, 0, 9, 8, 3, 7, 11, 2]);
    assert.deepEqual(orderOf(7, 3, 60_000).slice(0, 6), [14_084, 39_387, 1341, 21_501, 22, 14_500]);
  });

  it('puts every sample everywhere equally often, and reaches all orders of a few', () => {
    const length = 10;
    const cells = new Float64Array(length * length);
    for (let epoch = 0; epoch < 5000; epoch++)
      orderOf(1, epoch, length).forEach((s, i) => (cells[i * length + s]! += 1));
    assert.ok(unevenness(cells) < 5, `positions: ${unevenness(cells)}`);

    const pairs = new Float64Array(5 * 4);
    for (let epoch = 0; epoch < 10_000; epoch++) {
      const [first = 0, , , , last = 0] = orderOf(1, epoch, 5);
      pairs[first * 4 + (last > first ? last - 1 : last)]!++;
    }
    assert.ok(unevenness(pairs) < 5, `pairs: ${unevenness(pairs)}`);

    const orders = new Map<string, number>();
    for (let epoch = 0; epoch < 12_000; epoch++) {
      const key = orderOf(2, epoch, 4).join('');
      orders.set(key, (orders.get(key) ?? 0) + 1);
    }
    assert.equal(orders.size, 24);
    assert.ok(Math.max(...orders.values()) < 1.5 * Math.min(...orders.values()), JSON.stringify([...orders]));
  });

  it('leaves no trace of the order of the file: jumps between neighbours are those of a random order', () => {
    const length = 60_000;
    const order = orderOf(5, 0, length);
    const jumps = new Float64Array(64);
    const halves = new Float64Array(64);
    for (let i = 0; i + 1 < length; i++) {
      const jump = (order[i + 1]! - order[i]! + length) % length;
      jumps[Math.floor((jump * 64) / length)]!++;
    }
    for (let i = 0; i < length / 2; i++) halves[Math.floor((order[i]! * 64) / length)]!++;
    assert.ok(unevenness(jumps) < 6, `jumps: ${unevenness(jumps)}`);
    assert.ok(unevenness(halves) < 6, `first half: ${unevenness(halves)}`); // below 0: half of each cell is taken
    const steps = order.filter((sample, i) => i > 0 && sample === order[i - 1]! + 1).length;
    assert.ok(steps < 10, `${steps} samples follow the one before them in the file`); // one is expected
  });
});
