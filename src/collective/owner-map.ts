/** A part of the flat vector: elements `begin..end-1`, and the ranks that add it up. */
export interface Slice {
  readonly begin: number;
  readonly end: number;
  /** Ascending, at least one. The first of them sends the sum to everybody who is not an owner. */
  readonly owners: readonly number[];
}

/** How the flat vector is cut and who adds what: the only thing in which the topologies differ. No slice is empty. */
export type OwnerMap = readonly Slice[];

export type Topology = 'mesh' | 'direct' | 'star';

/** Cuts fall on multiples of this many floats: one cache line. */
const grainFloats = 16;

/**
 * A slice is the unit in which vectors travel, are added and updated: 512 KiB, small enough to stay in a core's cache from
 * its arrival to its use, and large enough that the fixed costs of a frame vanish (docs/performance.md).
 */
export const sliceFloatsMax = 128 * 1024;

/**
 * `mesh`: every rank owns 1/N of the vector; two hops, about `2 (N-1)/N` of the vector's size sent and received by each.
 * `direct`: every rank owns all of it; one hop, `N-1` times the vector's size.
 * `star`: the hub, whose rank is N, owns all of it; two hops, the vector's size sent and received by each member.
 *
 * @param length - elements of the flat vector
 * @param worldSize - N, members; a hub is none of them
 */
export function ownerMap(topology: Topology, length: number, worldSize: number): OwnerMap {
  const ranks = Array.from({ length: worldSize }, (_, rank) => rank);
  if (topology === 'direct') return cut(0, length, ranks);
  if (topology === 'star') return cut(0, length, [worldSize]);
  const grains = Math.ceil(length / grainFloats);
  const border = (rank: number) => Math.min(length, Math.floor((grains * rank) / worldSize) * grainFloats);
  return ranks.flatMap((rank) => cut(border(rank), rank + 1 === worldSize ? length : border(rank + 1), [rank]));
}

/** The ranks that rank `rank` exchanges frames with, beginning with the next one, so that not everybody talks to rank 0 first. */
export function peersOf(topology: Topology, rank: number, worldSize: number): readonly number[] {
  if (rank === worldSize) return Array.from({ length: worldSize }, (_, member) => member);
  if (topology === 'star') return [worldSize];
  return Array.from({ length: worldSize - 1 }, (_, i) => (rank + 1 + i) % worldSize);
}

/** Elements `begin..end-1` in as few slices as their size allows, equally long up to a grain. */
function cut(begin: number, end: number, owners: readonly number[]): readonly Slice[] {
  const pieces = Math.ceil((end - begin) / sliceFloatsMax);
  const grains = Math.ceil((end - begin) / grainFloats);
  const border = (i: number) => Math.min(end, begin + Math.floor((grains * i) / pieces) * grainFloats);
  return Array.from({ length: pieces }, (_, i) => ({ begin: border(i), end: border(i + 1), owners }));
}

/** The first slice of each owner, the second of each, and so on: if they are made in this order, all owners are busy. */
export function encodingOrder(owners: OwnerMap): readonly number[] {
  const before = new Map<number, number>();
  const places = owners.map(({ owners: [first] }, index) => {
    const place = before.get(first!) ?? 0;
    before.set(first!, place + 1);
    return { index, place };
  });
  return places.sort((a, b) => a.place - b.place || a.index - b.index).map(({ index }) => index);
}
