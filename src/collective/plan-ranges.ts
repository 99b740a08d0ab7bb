import { coveringCount } from './tree.js';

/**
 * A plan may be so much slower than the best one if fewer nodes travel for it: about what the measured speeds are worth.
 */
const tolerance = 0.03;
/** Above so many micro-batches the tree is deep, cuts hardly matter, and looking for good ones would take long. */
const searchedMax = 1024;

/**
 * How many micro-batches each rank should compute, so that the slowest is done soonest: a rank that is twice as fast gets
 * twice as many, and one that would hold up all others none. Of plans that take about as long that one is taken for which
 * the fewest nodes of the tree travel, as its ranges are whole subtrees.
 *
 * @param seconds - what one micro-batch takes, by rank, in any unit; undefined where it is not known, which counts as the
 *   mean of the others
 * @param count - micro-batches of a step, at least 1
 * @returns by rank, together `count`: the shares of a generation
 */
export function planRanges(seconds: readonly (number | undefined)[], count: number): readonly number[] {
  const known = seconds.filter((value) => value !== undefined);
  const mean = known.length === 0 ? 1 : known.reduce((sum, value) => sum + value, 0) / known.length;
  const costs = seconds.map((value) => value ?? mean);
  const balanced = balancedLengths(costs, count);
  return count > searchedMax ? balanced : (fewestNodes(costs, count, makespan(balanced, costs)) ?? balanced);
}

/** When the last rank is done. @param lengths - micro-batches by rank @param seconds - of one, by rank */
export function makespan(lengths: readonly number[], seconds: readonly number[]): number {
  return Math.max(...lengths.map((length, rank) => length * seconds[rank]!));
}

/**
 * One micro-batch after the other to the rank that would be done with it first: no plan ends sooner. What all of them get
 * for certain they have at once, so that the rest is no more than two for each rank, however many micro-batches there are.
 */
function balancedLengths(costs: readonly number[], count: number): readonly number[] {
  const certain = Math.max(0, (count - costs.length) / costs.reduce((sum, cost) => sum + 1 / cost, 0)) * (1 - 1e-9);
  const lengths = costs.map((cost) => (certain > 0 ? Math.floor(certain / cost) : 0));
  const doneAt = (rank: number): number => (lengths[rank]! + 1) * costs[rank]!;
  const isSooner = (a: number, b: number): boolean => doneAt(a) < doneAt(b) || (doneAt(a) === doneAt(b) && a < b);
  const heap = [...costs.keys()].sort((a, b) => (isSooner(a, b) ? -1 : 1));
  for (let given = lengths.reduce((sum, length) => sum + length, 0); given < count; given++) {
    lengths[heap[0]!]! += 1;
    sink(heap, isSooner);
  }
  return lengths;
}

/** Puts the first of a heap, which has become later, where it belongs. */
function sink(heap: number[], isSooner: (a: number, b: number) => boolean): void {
  for (let i = 0; ;) {
    let first = i;
    for (const child of [2 * i + 1, 2 * i + 2])
      if (child < heap.length && isSooner(heap[child]!, heap[first]!)) first = child;
    if (first === i) return;
    [heap[i], heap[first]] = [heap[first]!, heap[i]!];
    i = first;
  }
}

/** By dynamic programming over ranks and the places where their ranges end; first by nodes, then by evenness. */
function fewestNodes(costs: readonly number[], count: number, best: number): readonly number[] | undefined {
  const limit = best * (1 + tolerance);
  type Plan = { readonly nodes: number; readonly unevenness: number; readonly length: number; readonly before?: Plan };
  const isBetter = (a: Plan, b: Plan | undefined): boolean =>
    !b || a.nodes < b.nodes || (a.nodes === b.nodes && a.unevenness < b.unevenness);
  const longest = costs.map((cost) => longestWithin(limit, cost, count));
  let left = longest.reduce((sum, length) => sum + length, 0); //   what ranks from this one on can take together
  /** By the place where their ranges end, which is their order, too. */
  let plans = new Map<number, Plan>([[0, { nodes: 0, unevenness: 0, length: 0 }]]);
  for (const [rank, cost] of costs.entries()) {
    left -= longest[rank]!;
    const next = new Map<number, Plan>();
    for (const [first, before] of plans) {
      const most = Math.min(longest[rank]!, count - first);
      for (let length = Math.max(0, count - left - first); length <= most; length++) {
        const nodes = before.nodes + coveringCount(first, first + length, count);
        const seconds = length * cost;
        const plan = { nodes, unevenness: before.unevenness + seconds * seconds, length, before };
        if (isBetter(plan, next.get(first + length))) next.set(first + length, plan);
      }
    }
    plans = next;
  }
  const lengths: number[] = [];
  for (let plan = plans.get(count); plan?.before; plan = plan.before) lengths.push(plan.length);
  return lengths.length === costs.length ? lengths.reverse() : undefined;
}

/** The largest length whose time is within the limit, as it is compared: a quotient alone may be rounded to beyond it. */
function longestWithin(limit: number, cost: number, count: number): number {
  let length = Math.min(count, Math.floor(limit / cost) || 0);
  while (length > 0 && length * cost > limit) length -= 1;
  while (length < count && (length + 1) * cost <= limit) length += 1;
  return length;
}
