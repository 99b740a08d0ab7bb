import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AllReduce } from '../../../src/collective/all-reduce.js';
import type { Frame } from '../../../src/collective/frame.js';
import type { Topology } from '../../../src/collective/owner-map.js';
import { rangesByShare } from '../../../src/collective/ranges.js';
import type { Reduction } from '../../../src/collective/reduction.js';
import { plainVectors, Workspace } from '../../../src/collective/workspace.js';
import { randomStream } from '../../../src/core/random.js';
import { memoryLinks, type MemoryLink } from '../../../src/transport/memory/memory-link.js';
import { nodesOf, shuffledDelivery, treeSum } from './sums.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer);

const openWith = (link: MemoryLink, topology: Topology, length: number) =>
  new AllReduce({ link, workspace: new Workspace(plainVectors), nowMs: () => 0 }, { topology, length, exactTail: 0 });

/** In how many turns a rank has its own nodes; `Infinity`: never. */
type Lateness = number;

test('whoever computes a node, and whichever copy comes first: the sum has the same bits', async () => {
  const cases = fc.record({
    worldSize: fc.integer({ min: 2, max: 5 }),
    topology: fc.constantFrom<Topology>('mesh', 'direct'),
    length: fc.integer({ min: 1, max: 200 }),
    count: fc.integer({ min: 1, max: 13 }),
    seed: fc.nat(),
  });
  const seen = { copies: 0, spared: 0 };
  await fc.assert(
    fc.asyncProperty(cases, async ({ worldSize, topology, length, count, seed }) => {
      const random = randomStream(seed, 'stragglers');
      const ranges = rangesByShare(
        count,
        Array.from({ length: worldSize }, () => 1 + (random.uint32() % 3)),
      );
      const links = memoryLinks(worldSize, 1, shuffledDelivery(seed));
      const members = links.map((link) => openWith(link, topology, length));
      const sums = links.map(() => new Float32Array(length));
      // Every round somebody else straggles; the rank behind it does not.
      const straggler = (step: number) => (seed + step) % worldSize;
      const lateness = [0, 0, 0, 0].map((): Lateness => (random.uint32() % 2 === 0 ? Infinity : random.uint32() % 60));

      const round = async (rank: number, step: number): Promise<void> => {
        const round = { generation: 1, step, purpose: 'gradient' } as const;
        const engine = { bits: 7, isBehind: false };
        const reduction = members[rank]!.open({ round, ranges, count, sum: sums[rank]!, engine });
        const ready = rank === straggler(step) ? lateness[step % 4]! : 0;
        for (let i = 0; i < ready && !reduction.isOver; i++) await (ready === Infinity ? reduction.over : turn());
        if (reduction.isOver) seen.spared += 1;
        else for (const node of nodesOf(ranges[rank]!, count, length)) reduction.add(node);
        if (rank === (straggler(step) + 1) % worldSize) await help(reduction, rank);
        await reduction.finish();
      };
      const help = async (reduction: Reduction, rank: number): Promise<void> => {
        const before = (rank + worldSize - 1) % worldSize;
        while (!reduction.isOver && !reduction.missingOfNeighbour) await turn();
        const { nodes } = reduction.missingOfNeighbour ?? { nodes: [] };
        const theirs = nodesOf(ranges[before]!, count, length);
        for (const node of reduction.isOver ? [] : nodes) {
          reduction.addCopy(node, theirs[node]!);
          seen.copies += 1;
          await turn();
        }
      };
      // A rank that owns no slice sees nobody's nodes, so that nobody could help: vectors are long enough.
      if (topology === 'mesh' && length < 16 * worldSize) return;
      await Promise.all(
        links.map(async ({ rank }) => {
          for (let step = 1; step <= 4; step++) await round(rank, step);
        }),
      );
      for (const sum of sums) assert.deepEqual(bits(sum), bits(treeSum(count, length)));
      for (const link of links) link.close('test over');
    }),
    { seed: 11, numRuns: 150 },
  );
  assert.ok(seen.copies > 100 && seen.spared > 100, `both happen: ${JSON.stringify(seen)}`);
});

const atOnce = (at: number, first: number) => ({
  round: { generation: 1, step: at, purpose: 'gradient' } as const,
  ranges: rangesByShare(2, [1, 1]),
  count: 2,
  sum: new Float32Array(40),
  engine: { bits: first, isBehind: false },
});

test('nothing is missing of a neighbour that is not in the round, or whose bits may be others', () => {
  let isCut = true;
  const links = memoryLinks(2, 1, (_from, _to, _frame, deliver) => (isCut ? undefined : deliver()));
  const [mine, theirs] = links.map((link) => openWith(link, 'mesh', 40));
  const alone = mine!.open(atOnce(1, 7));
  assert.equal(alone.missingOfNeighbour, undefined, 'no header came');
  isCut = false;
  const other = theirs!.open(atOnce(1, 8));
  assert.equal(alone.missingOfNeighbour, undefined, 'other bits');
  assert.equal(other.missingOfNeighbour, undefined, 'our header was lost');
});

test('copies are refused where nobody said that they are allowed', () => {
  const links = memoryLinks(2, 1);
  const { round, ...plan } = atOnce(1, 0);
  openWith(links[0]!, 'direct', 40).open({ ...plan, round, engine: undefined });
  const copy: Frame = { kind: 'copy', round, slice: 0, node: 0, payload: new Uint8Array(160) };
  assert.throws(() => links[0]!.inbox.deliver(1, copy), { code: 'FRAME_REFUSED' });
});
