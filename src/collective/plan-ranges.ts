import { coveringNodes } from './tree.js';

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

/** One micro-batch after the other to the rank that would be done with it first: no plan ends sooner. */
function balancedLengths(costs: readonly number[], count: number): readonly number[] {
  const lengths = costs.map(() => 0);
  for (let i = 0; i < count; i++) {
    let best = 0;
    for (const rank of costs.keys())
      if ((lengths[rank]! + 1) * costs[rank]! < (lengths[best]! + 1) * costs[best]!) best = rank;
    lengths[best]! += 1;
  }
  return lengths;
}

/** By dynamic programming over ranks and the places where their ranges end; first by nodes, then by evenness. */
function fewestNodes(costs: readonly number[], count: number, best: number): readonly number[] | undefined {
  const limit = best * (1 + tolerance);
  type Plan = { readonly nodes: number; readonly unevenness: number; readonly length: number; readonly before?: Plan };
  const isBetter = (a: Plan, b: Plan | undefined): boolean =>
    !b || a.nodes < b.nodes || (a.nodes === b.nodes && a.unevenness < b.unevenness);
  let plans: (Plan | undefined)[] = [{ nodes: 0, unevenness: 0, length: 0 }];
  for (const cost of costs) {
    const next: (Plan | undefined)[] = [];
    for (const [first, before] of plans.entries()) {
      if (!before) continue;
      for (let length = 0; first + length <= count && length * cost <= limit; length++) {
        const nodes = before.nodes + coveringNodes({ first, end: first + length }, count).length;
        const seconds = length * cost;
        const plan = { nodes, unevenness: before.unevenness + seconds * seconds, length, before };
        if (isBetter(plan, next[first + length])) next[first + length] = plan;
      }
    }
    plans = Array.from({ length: count + 1 }, (_, end) => next[end]);
  }
  const lengths: number[] = [];
  for (let plan = plans[count]; plan?.before; plan = plan.before) lengths.unshift(plan.length);
  return lengths.length === costs.length ? lengths : undefined;
}
