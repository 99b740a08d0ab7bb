import type { Topology } from './owner-map.js';

/**
 * Up to how many elements `direct` is taken, by members; above, and for more members, it is `mesh`. Estimates from bytes and
 * hops: for two members `direct` was the faster one at 44,426 elements and no slower at 1 Mi (docs/performance.md). To be
 * measured with `lockstep bench exchange --topology mesh,direct`.
 */
const directElementsMax: Readonly<Record<number, number>> = { 1: Infinity, 2: 131_072, 3: 65_536, 4: 65_536 };

/**
 * What `--topology auto` stands for. A star is never chosen: who needs one knows it.
 *
 * @param length - elements of the vector
 */
export function chooseTopology(wanted: Topology | 'auto', length: number, worldSize: number): Topology {
  if (wanted !== 'auto') return wanted;
  return length <= (directElementsMax[worldSize] ?? 0) ? 'direct' : 'mesh';
}
