import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AllReduce, type NodeSum } from '../../../src/collective/all-reduce.js';
import { Abandoned } from '../../../src/collective/faults.js';
import type { Link } from '../../../src/collective/link.js';
import { ownerMap, type Topology } from '../../../src/collective/owner-map.js';
import { rangesByShare, type Range } from '../../../src/collective/ranges.js';
import { TreeSum } from '../../../src/collective/tree.js';
import { randomStream } from '../../../src/core/random.js';
import { memoryLinks } from '../../../src/transport/memory/memory-link.js';

const noTime = (): number => 0;

/** The "gradient" of one micro-batch: float32 with many different exponents, so that another order gives other bits. */
function leaf(index: number, length: number): Float32Array {
  const random = randomStream(5, 'leaf', index);
  return Float32Array.from({ length }, () => (random.uniform() - 0.5) * 10 ** Math.floor(random.uniform() * 8));
}

function add(left: Float32Array, right: Float32Array): Float32Array {
  return left.map((value, i) => value + right[i]!);
}

function nodesOf(range: Range, count: number, length: number): readonly NodeSum[] {
  const tree = new TreeSum<Float32Array>(count, add);
  for (let i = range.first; i < range.end; i++) tree.push({ first: i, end: i + 1 }, leaf(i, length));
  return tree.nodes.map(({ span, value }) => ({ ...span, values: value.slice() }));
}

/** Delivers frames in an order drawn from `seed`, each pair of ranks in order, as promises get their turns. */
function shuffledLinks(worldSize: number, seed: number) {
  const random = randomStream(seed, 'delivery');
  const waiting = new Map<string, (() => void)[]>();
  const pump = (): void => {
    const keys = [...waiting.keys()];
    const key = keys[random.uint32() % keys.length]!;
    const queue = waiting.get(key)!;
    queue.shift()!();
    if (queue.length === 0) waiting.delete(key);
  };
  return memoryLinks(worldSize, 1, (from, to, _frame, deliver) => {
    const key = `${from}>${to}`;
    const queue = waiting.get(key);
    if (queue) queue.push(deliver);
    else waiting.set(key, [deliver]);
    setImmediate(pump); //                                          one turn for each frame, which takes any of those that wait
  });
}

async function run(
  links: readonly Link[],
  topology: Topology,
  length: number,
  count: number,
  shares: readonly number[],
  rounds = 1,
) {
  const ranges = rangesByShare(count, shares);
  return Promise.all(
    links.map(async (link) => {
      const allReduce = new AllReduce(link, ownerMap(topology, length, links.length), noTime);
      const sum = new Float32Array(length);
      for (let step = 1; step <= rounds; step++) {
        const open = allReduce.open({ generation: 1, step, purpose: 'gradient' }, ranges, count, sum);
        await allReduce.reduce(open, nodesOf(ranges[link.rank]!, count, length));
      }
      return sum;
    }),
  );
}

test('every rank gets the sum of the canonical tree, bit for bit, in any topology and order of arrival', async () => {
  const cases = fc.record({
    worldSize: fc.integer({ min: 1, max: 6 }),
    topology: fc.constantFrom<Topology>('mesh', 'direct'),
    length: fc.integer({ min: 1, max: 200 }),
    count: fc.integer({ min: 1, max: 13 }),
    seed: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ worldSize, topology, length, count, seed }) => {
      const random = randomStream(seed, 'shares');
      const shares = Array.from({ length: worldSize }, () => random.uint32() % 4);
      shares[0]! += 1;
      const expected = nodesOf({ first: 0, end: count }, count, length)[0]!.values;
      const sums = await run(shuffledLinks(worldSize, seed), topology, length, count, shares, 3);
      for (const sum of sums) assert.deepEqual(new Uint32Array(sum.buffer), new Uint32Array(expected.buffer));
    }),
    { seed: 4, numRuns: 150 },
  );
});

test('another order of the same additions would give other bits, so the test above can fail', () => {
  const [a, b, c] = [leaf(0, 100), leaf(1, 100), leaf(2, 100)];
  assert.notDeepEqual(add(add(a, b), c), add(a, add(b, c)));
});

test('vectors longer than a chunk arrive whole', async () => {
  const length = 400_000;
  const sums = await run(memoryLinks(3, 1), 'mesh', length, 3, [1, 1, 1]);
  assert.deepEqual(sums[2], nodesOf({ first: 0, end: 3 }, 3, length)[0]!.values);
});

test('NaN and infinity reach every rank', async () => {
  const links = memoryLinks(2, 1);
  const values = [Float32Array.of(NaN, 1, Infinity), Float32Array.of(1, 2, -Infinity)];
  const sums = await Promise.all(
    links.map(async (link) => {
      const allReduce = new AllReduce(link, ownerMap('mesh', 3, 2), noTime);
      const sum = new Float32Array(3);
      const open = allReduce.open({ generation: 1, step: 1, purpose: 'gradient' }, rangesByShare(2, [1, 1]), 2, sum);
      await allReduce.reduce(open, [{ first: link.rank, end: link.rank + 1, values: values[link.rank]! }]);
      return sum;
    }),
  );
  for (const sum of sums) assert.deepEqual([...sum], [NaN, 3, NaN]);
});

test('no rank finishes while a member is missing, and sealing frees those who wait', async () => {
  const links = memoryLinks(3, 1, (from, _to, _frame, deliver) => (from === 2 ? undefined : deliver()));
  const outcomes = links.slice(0, 2).map(async (link) => {
    const allReduce = new AllReduce(link, ownerMap('mesh', 40, 3), noTime);
    const ranges = rangesByShare(2, [1, 1, 0]); //                   rank 2 has nothing to compute, and is needed all the same
    const open = allReduce.open({ generation: 1, step: 1, purpose: 'gradient' }, ranges, 2, new Float32Array(40));
    await allReduce.reduce(open, nodesOf(ranges[link.rank]!, 2, 40));
  });
  let finished = 0;
  for (const outcome of outcomes) outcome.then(() => (finished += 1)).catch(() => undefined);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(finished, 0);
  for (const link of links) link.close('test');
  for (const outcome of outcomes) await assert.rejects(outcome, Abandoned);
});

test('slices of a mesh are disjoint, complete and aligned', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 17 }), (length, worldSize) => {
      const map = ownerMap('mesh', length, worldSize);
      assert.equal(map.at(-1)!.end, length);
      map.forEach((slice, rank) => {
        assert.equal(slice.begin, rank === 0 ? 0 : map[rank - 1]!.end);
        assert.deepEqual(slice.owners, [rank]);
        assert.ok(slice.begin % 16 === 0 || slice.begin === length);
      });
    }),
    { seed: 5 },
  );
});

test('says whose nodes came last', async () => {
  const held: (() => void)[] = [];
  const links = memoryLinks(3, 1, (from, _to, { kind }, deliver) => {
    if (from === 2 && kind === 'nodes') held.push(deliver);
    else deliver();
  });
  const ranges = rangesByShare(3, [1, 1, 1]);
  const finished = Promise.all(
    links.map((link) => {
      const allReduce = new AllReduce(link, ownerMap('mesh', 64, 3), noTime);
      const open = allReduce.open({ generation: 1, step: 1, purpose: 'gradient' }, ranges, 3, new Float32Array(64));
      return allReduce.reduce(open, nodesOf(ranges[link.rank]!, 3, 64));
    }),
  );
  await new Promise(setImmediate); //                               everything else has arrived
  assert.ok(held.length > 0);
  for (const deliver of held) deliver();
  const [first, second] = await finished;
  assert.deepEqual([first?.slowestRank, second?.slowestRank], [2, 2]);
});

test('alone there is nobody to wait for', async () => {
  const [link] = memoryLinks(1, 1);
  const allReduce = new AllReduce(link!, ownerMap('mesh', 8, 1), noTime);
  const ranges = rangesByShare(1, [1]);
  const open = allReduce.open({ generation: 1, step: 1, purpose: 'gradient' }, ranges, 1, new Float32Array(8));
  assert.equal((await allReduce.reduce(open, nodesOf(ranges[0]!, 1, 8))).slowestRank, -1);
});
