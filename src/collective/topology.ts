import type { Topology } from './owner-map.js';

/**
 * Up to how many elements `direct` was the faster one of the two, by members; above, and for more members, it is `mesh`.
 * Measured with `lockstep bench exchange --topology mesh,direct`; docs/performance.md has the figures.
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
