import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makespan, planRanges } from '../../../src/collective/plan-ranges.js';
import { rangesByShare } from '../../../src/collective/ranges.js';
import { coveringNodes } from '../../../src/collective/tree.js';

const nodesOf = (lengths: readonly number[], count: number): number =>
  rangesByShare(count, lengths).reduce((sum, range) => sum + coveringNodes(range, count).length, 0);

/** Every way to share out `count` among so many ranks. */
function* allPlans(ranks: number, count: number): Generator<number[]> {
  if (ranks === 1) yield [count];
  for (let first = 0; ranks > 1 && first <= count; first++)
    for (const rest of allPlans(ranks - 1, count - first)) yield [first, ...rest];
}

const seconds = fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { minLength: 1, maxLength: 4 });

test('no plan ends sooner than within the tolerance, and of those that do none has fewer nodes', () => {
  fc.assert(
    fc.property(seconds, fc.integer({ min: 1, max: 12 }), (costs, count) => {
      const plan = planRanges(costs, count);
      const all = [...allPlans(costs.length, count)];
      const limit = Math.min(...all.map((lengths) => makespan(lengths, costs))) * 1.03;
      assert.ok(makespan(plan, costs) <= limit * (1 + 1e-9), JSON.stringify(plan));
      const fewest = Math.min(...all.filter((p) => makespan(p, costs) <= limit).map((p) => nodesOf(p, count)));
      assert.equal(nodesOf(plan, count), fewest, JSON.stringify(plan));
    }),
    { seed: 5, numRuns: 150 },
  );
});

test('the shares of a plan cut a full batch exactly where it says', () => {
  fc.assert(
    fc.property(seconds, fc.integer({ min: 1, max: 300 }), (costs, count) => {
      const plan = planRanges(costs, count);
      assert.deepEqual(
        rangesByShare(count, plan).map(({ first, end }) => end - first),
        plan,
      );
    }),
    { seed: 6, numRuns: 100 },
  );
});

test('twice as fast, twice as many; hopelessly slow, none; unknown, like the others', () => {
  assert.deepEqual(planRanges([1, 2], 12), [8, 4]);
  assert.deepEqual(planRanges([1, 50, 1], 8), [4, 0, 4]);
  assert.deepEqual(planRanges([undefined, 3, 3], 12), [4, 4, 4]);
  assert.deepEqual(planRanges([undefined, undefined], 16), [8, 8]);
  assert.deepEqual(planRanges([1], 5000), [5000]);
});

test('whole subtrees are taken where they cost no time', () => {
  assert.deepEqual(planRanges([1, 1.02], 16), [8, 8]);
  assert.deepEqual(planRanges([1, 3], 16), [12, 4], 'and not 11 or 13, which need more nodes');
});

test('with more ranks than the search could look at one by one, the plan still gives each what it is due', () => {
  const costs = Array.from({ length: 1000 }, (_, rank) => (rank % 10 === 0 ? 2 : 1));
  const plan = planRanges(costs, 3800);
  assert.deepEqual([plan[0], plan[1], plan[990], plan[991]], [2, 4, 2, 4]);
  assert.deepEqual(planRanges(new Array<number>(1000).fill(1), 1000), new Array<number>(1000).fill(1));
});
