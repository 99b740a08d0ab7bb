import type { Clock } from '../core/clock.js';

/** For how long those are waited for that are not here when the run ends: they come back well within 1 s, if they live. */
const limitMs = 5_000;

/**
 * The End must reach everybody (rule 16): a worker whose stream is broken at that moment comes back, and would otherwise
 * look for its coordinator in vain.
 */
export class Farewell {
  private readonly told = new Set<string>();
  private readonly gone = new Set<string>();
  private onChange: () => void = () => undefined;

  constructor(private readonly clock: Clock) {}

  /** The End was said on this worker's stream. */
  toldTo(workerId: string): void {
    this.told.add(workerId);
  }

  /** A worker's stream ended. One that was told has heard it, and left. */
  streamEnded(workerId: string): void {
    if (!this.told.has(workerId)) return;
    this.gone.add(workerId);
    this.onChange();
  }

  /** @param workers - who must hear of it @returns when all have left, or had their time */
  async wait(workers: readonly string[]): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.clock.setTimer(limitMs, resolve);
      this.onChange = () => {
        if (!workers.every((workerId) => this.gone.has(workerId))) return;
        cancel();
        resolve();
      };
      this.onChange();
    });
  }
}
