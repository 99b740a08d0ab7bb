import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { equalRanges, rangesByShare, type Range } from '../../../src/collective/ranges.js';
import { coveringCount, coveringNodes, TreeSum } from '../../../src/collective/tree.js';

/** A sum as the text of its additions: what two trees are compared by. */
function rootOf(count: number, ranges: readonly Range[]): string {
  const owner = new TreeSum<string>(count, (a, b) => `(${a}+${b})`);
  for (const range of ranges) {
    const worker = new TreeSum<string>(count, (a, b) => `(${a}+${b})`);
    for (let i = range.first; i < range.end; i++) worker.push({ first: i, end: i + 1 }, String(i));
    assert.deepEqual(
      worker.nodes.map(({ span }) => span),
      coveringNodes(range, count),
      'a worker holds exactly the nodes that others expect of it',
    );
    for (const { span, value } of worker.nodes) owner.push(span, value);
  }
  return owner.root();
}

test('the canonical tree pairs neighbours and promotes odd ends', () => {
  assert.equal(rootOf(8, equalRanges(8, 1)), '(((0+1)+(2+3))+((4+5)+(6+7)))');
  assert.equal(rootOf(7, equalRanges(7, 1)), '(((0+1)+(2+3))+((4+5)+6))');
  assert.equal(rootOf(5, equalRanges(5, 1)), '(((0+1)+(2+3))+4)');
  assert.equal(rootOf(1, equalRanges(1, 1)), '0');
});

test('however the micro-batches are shared out, the same additions are made', () => {
  const shares = fc.array(fc.double({ min: 0, max: 9, noNaN: true }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), shares, (count, given) => {
      const weights = given.some((share) => share > 0) ? given : given.map(() => 1);
      assert.equal(rootOf(count, rangesByShare(count, weights)), rootOf(count, equalRanges(count, 1)));
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('ranges cover every micro-batch exactly once, also when there are more ranks than micro-batches', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 1, max: 20 }), (count, worldSize) => {
      const ranges = equalRanges(count, worldSize);
      assert.equal(ranges.length, worldSize);
      const covered = ranges.flatMap(({ first, end }) => Array.from({ length: end - first }, (_, i) => first + i));
      assert.deepEqual(
        covered,
        Array.from({ length: count }, (_, i) => i),
      );
      const sizes = ranges.map(({ first, end }) => end - first);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, 'equal shares differ by at most one');
    }),
    { seed: 2 },
  );
});

test('few nodes travel: at most twice the depth of the tree', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4096 }), fc.nat(), fc.nat(), (count, a, b) => {
      const [first, end] = [a % count, (b % count) + 1].sort((x, y) => x - y) as [number, number];
      const nodes = coveringNodes({ first, end }, count);
      assert.ok(nodes.length <= 2 * Math.ceil(Math.log2(count)) + 1, `${nodes.length} nodes of ${count}`);
      assert.equal(coveringCount(first, end, count), nodes.length);
    }),
    { seed: 3 },
  );
});

test('an incomplete tree has no root', () => {
  const tree = new TreeSum<number>(4, (a, b) => a + b);
  tree.push({ first: 0, end: 2 }, 1);
  assert.throws(() => tree.root(), /incomplete/);
});
