import type { Topology } from './owner-map.js';

/**
 * Up to how many elements `direct` was the faster one of the two, by members; above, and for more members, it is `mesh`.
 * Two members were measured on either side of the border (docs/performance.md); three and four are estimates from bytes and
 * hops, to be measured with `lockstep bench exchange --topology mesh,direct`.
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
