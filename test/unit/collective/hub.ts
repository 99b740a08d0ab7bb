import { AllReduce, type AllReduceNeeds } from '../../../src/collective/all-reduce.js';
import { rangesByShare } from '../../../src/collective/ranges.js';

/**
 * The centre of a star: it computes nothing, owns everything, and takes part in every round that its members open, until
 * the generation is sealed. What a round is about it learns from the members' headers, which must agree.
 *
 * @param needs - a codec in it is that of gradients; evaluations travel as they are
 * @param shares - of the members, by rank: what their ranges follow from
 * @param exactTail - elements at the end of a gradient that no codec touches
 * @throws Abandoned at the end of the generation
 */
export async function serveRounds(needs: AllReduceNeeds, shares: readonly number[], exactTail: number): Promise<never> {
  const sums = new Map<string, { readonly allReduce: AllReduce; readonly sum: Float32Array }>();
  for (;;) {
    const { round, count, length } = await needs.link.inbox.nextHeader();
    const key = `${round.purpose}/${length}`;
    let known = sums.get(key);
    if (!known) {
      const codec = round.purpose === 'gradient' ? needs.codec : undefined;
      const allReduce = new AllReduce({ ...needs, codec }, { topology: 'star', length, exactTail });
      sums.set(key, (known = { allReduce, sum: needs.workspace.vectors.allocate(length) }));
    }
    await known.allReduce.open({ round, ranges: rangesByShare(count, shares), count, sum: known.sum }).finish();
  }
}
