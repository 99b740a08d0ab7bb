/** A part of the flat vector: elements `begin..end-1`, and the ranks that add it up. */
export interface Slice {
  readonly begin: number;
  readonly end: number;
  /** Ascending, at least one. The first of them sends the sum to everybody who is not an owner. */
  readonly owners: readonly number[];
}

/** How the flat vector is cut and who adds what: the only thing in which the topologies differ. */
export type OwnerMap = readonly Slice[];

export type Topology = 'mesh' | 'direct';

/** Cuts fall on multiples of this many floats: one cache line. */
const grainFloats = 16;

/**
 * `mesh`: every rank owns 1/N of the vector; two hops, about `2 (N-1)/N` of the vector's size sent and received by each.
 * `direct`: every rank owns all of it; one hop, `N-1` times the vector's size.
 *
 * @param length - elements of the flat vector; slices may be empty when it is short
 */
export function ownerMap(topology: Topology, length: number, worldSize: number): OwnerMap {
  const ranks = Array.from({ length: worldSize }, (_, rank) => rank);
  if (topology === 'direct') return [{ begin: 0, end: length, owners: ranks }];
  const grains = Math.ceil(length / grainFloats);
  const cut = (rank: number) => Math.min(length, Math.floor((grains * rank) / worldSize) * grainFloats);
  return ranks.map((rank) => ({
    begin: cut(rank),
    end: rank + 1 === worldSize ? length : cut(rank + 1),
    owners: [rank],
  }));
}
