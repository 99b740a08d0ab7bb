import type { StepTiming } from '../core/events.js';

/** Far more than come between two heartbeats; where the coordinator is away for longer, the oldest are left out. */
const keptMax = 2048;

/** Where the time of this worker's steps went, until the next heartbeat takes it along. */
export class StepTimings {
  private kept: StepTiming[] = [];

  add(timing: StepTiming): void {
    this.kept.push(timing);
    if (this.kept.length > keptMax) this.kept.shift();
  }

  /** What came since it was last asked. */
  take(): readonly StepTiming[] {
    const taken = this.kept;
    this.kept = [];
    return taken;
  }
}
