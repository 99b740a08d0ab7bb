/** Rounds of the all-reduce between links, and what must come out of them. */
import { AllReduce } from '../../../src/collective/all-reduce.js';
import type { Codec } from '../../../src/collective/codec.js';
import { Abandoned } from '../../../src/collective/faults.js';
import { serveRounds } from './hub.js';
import type { Link } from '../../../src/collective/link.js';
import type { Topology } from '../../../src/collective/owner-map.js';
import { rangesByShare, type Range } from '../../../src/collective/ranges.js';
import type { ExchangeFacts, NodeSum } from '../../../src/collective/round-plan.js';
import { TreeSum } from '../../../src/collective/tree.js';
import { plainVectors, Workspace } from '../../../src/collective/workspace.js';
import { randomStream } from '../../../src/core/random.js';
import { memoryLinks, type Delivery } from '../../../src/transport/memory/memory-link.js';

const noTime = (): number => 0;

const leaves = new Map<string, Float32Array>();

/** The "gradient" of one micro-batch: float32 with many different exponents, so that another order gives other bits. */
export function leaf(index: number, length: number): Float32Array {
  const key = `${index}/${length}`;
  const known = leaves.get(key);
  if (known) return known;
  const random = randomStream(5, 'leaf', index);
  const made = Float32Array.from({ length }, () => (random.uniform() - 0.5) * 10 ** Math.floor(random.uniform() * 8));
  leaves.set(key, made);
  return made;
}

export function add(left: Float32Array, right: Float32Array): Float32Array {
  return left.map((value, i) => value + right[i]!);
}

export function nodesOf(range: Range, count: number, length: number): readonly NodeSum[] {
  const tree = new TreeSum<Float32Array>(count, add);
  for (let i = range.first; i < range.end; i++) tree.push({ first: i, end: i + 1 }, leaf(i, length));
  return tree.nodes.map(({ span, value }) => ({ ...span, values: value.slice() }));
}

/** The one right sum. */
export function treeSum(count: number, length: number): Float32Array {
  return nodesOf({ first: 0, end: count }, count, length)[0]!.values;
}

/** Delivers frames in an order drawn from `seed`, each pair of ranks in order, as promises get their turns. */
export function shuffledDelivery(seed: number): Delivery {
  const random = randomStream(seed, 'delivery');
  const waiting = new Map<string, (() => void)[]>();
  const pump = (): void => {
    const keys = [...waiting.keys()];
    const key = keys[random.uint32() % keys.length]!;
    const queue = waiting.get(key)!;
    queue.shift()!();
    if (queue.length === 0) waiting.delete(key);
  };
  return (from, to, _frame, deliver) => {
    const key = `${from}>${to}`;
    const queue = waiting.get(key);
    if (queue) queue.push(deliver);
    else waiting.set(key, [deliver]);
    setImmediate(pump); //                                          one turn for each frame, which takes any of those that wait
  };
}

export interface SumOptions {
  readonly topology: Topology;
  readonly length: number;
  readonly count: number;
  readonly shares: readonly number[];
  readonly rounds?: number;
  readonly firstStep?: number;
  readonly codecOf?: () => Codec;
}

export interface RankSum {
  readonly sum: Float32Array;
  readonly facts: ExchangeFacts;
}

/** Every member's sum of the last of `rounds` rounds. With a star the last link is the hub's. */
export async function sumOver(links: readonly Link[], options: SumOptions): Promise<readonly RankSum[]> {
  const { topology, length, count, shares, rounds = 1, firstStep = 1, codecOf } = options;
  const ranges = rangesByShare(count, shares);
  const needsOf = (link: Link) => ({
    link,
    workspace: new Workspace(plainVectors),
    nowMs: noTime,
    ...(codecOf ? { codec: codecOf() } : {}),
  });
  const hub = links[links[0]!.worldSize];
  if (hub)
    void serveRounds(needsOf(hub), shares, 0).catch((error: unknown) => {
      if (!(error instanceof Abandoned)) throw error;
    });
  return Promise.all(
    links.slice(0, links[0]!.worldSize).map(async (link) => {
      const allReduce = new AllReduce(needsOf(link), { topology, length, exactTail: 0 });
      const sum = new Float32Array(length);
      let facts!: ExchangeFacts;
      for (let step = firstStep; step < firstStep + rounds; step++) {
        const round = { generation: 1, step, purpose: 'gradient' } as const;
        const reduction = allReduce.open({ round, ranges, count, sum });
        for (const node of nodesOf(ranges[link.rank]!, count, length)) reduction.add(node);
        facts = await reduction.finish();
      }
      return { sum, facts };
    }),
  );
}

/** As `sumOver`, in memory. */
export async function sumInMemory(worldSize: number, options: SumOptions, delivery?: Delivery) {
  const links = memoryLinks(worldSize, 1, delivery, options.topology === 'star');
  try {
    return await sumOver(links, options);
  } finally {
    for (const link of links) link.close('test over');
  }
}

export function bitsOf({ sum }: Pick<RankSum, 'sum'>): Uint32Array {
  return new Uint32Array(sum.buffer);
}
