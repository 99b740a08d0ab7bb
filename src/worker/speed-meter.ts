/** Steps of a block: enough that a few disturbed ones do not show in its median. */
const blockSteps = 15;
/** Blocks that the average remembers: a change of speed shows in a few of them, a neighbour's burst of work does not. */
const blocksMax = 16;

/**
 * How long a sample takes this worker: the average of medians. One median alone is of a tenth of a second of a fast run, in
 * which the system may have let somebody else work: ranges that followed it would be wrong as soon as they are cut.
 */
export class SpeedMeter {
  private block: number[] = [];
  private blocks = 0;
  private average = 0;

  /** @param sampleCount - that were computed in `seconds`; none say nothing */
  measured(seconds: number, sampleCount: number): void {
    if (sampleCount === 0 || seconds <= 0) return;
    this.block.push(seconds / sampleCount);
    if (this.block.length < blockSteps) return;
    const median = this.block.toSorted((a, b) => a - b)[blockSteps >> 1]!;
    this.block = [];
    this.blocks = Math.min(this.blocks + 1, blocksMax);
    this.average += (median - this.average) / this.blocks;
  }

  /** Undefined until there are as many steps as a block has. */
  get secondsPerSample(): number | undefined {
    return this.blocks === 0 ? undefined : this.average;
  }
}
