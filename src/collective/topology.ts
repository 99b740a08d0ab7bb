import type { Topology } from './owner-map.js';

/**
 * Up to how many elements `direct` is taken, by members; above, and for more members, it is `mesh`. Measured on one host with
 * `lockstep bench exchange --topology mesh,direct` (docs/performance.md). Two members send the same bytes either way; three and
 * four send half as many as a mesh, which counts between hosts, so that their border stays below where it was measured.
 */
const directElementsMax: Readonly<Record<number, number>> = { 1: Infinity, 2: 262_144, 3: 65_536, 4: 65_536 };

/**
 * What `--topology auto` stands for. A star is never chosen: who needs one knows it.
 *
 * @param length - elements of the vector
 */
export function chooseTopology(wanted: Topology | 'auto', length: number, worldSize: number): Topology {
  if (wanted !== 'auto') return wanted;
  return length <= (directElementsMax[worldSize] ?? 0) ? 'direct' : 'mesh';
}
