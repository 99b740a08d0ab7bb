/** Steps over which speed is measured: enough that a few disturbed ones do not show. */
const window = 15;

/** How long a sample takes this worker: the median of its last steps, as single steps are disturbed by anything. */
export class SpeedMeter {
  private readonly recent: number[] = [];

  /** @param sampleCount - that were computed in `seconds`; none say nothing */
  measured(seconds: number, sampleCount: number): void {
    if (sampleCount === 0 || seconds <= 0) return;
    this.recent.push(seconds / sampleCount);
    if (this.recent.length > window) this.recent.shift();
  }

  /** Undefined until there are as many steps as it looks at. */
  get secondsPerSample(): number | undefined {
    if (this.recent.length < window) return undefined;
    return this.recent.toSorted((a, b) => a - b)[window >> 1];
  }
}
