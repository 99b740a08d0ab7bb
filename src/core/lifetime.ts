import type { Clock } from './clock.js';

/**
 * How long a program's main object lives: until it is finished, or until anything that it does throws. Its timers end
 * with it.
 */
export class Lifetime {
  private readonly timers = new Set<() => void>();
  private hasEnded = false;
  private resolve!: () => void;
  private reject!: (error: Error) => void;
  private readonly outcome = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor(private readonly clock: Clock) {
    this.outcome.catch(() => undefined); //                         it may fail before anybody waits for it
  }

  /** @returns when it was finished @throws what it failed with */
  async wait(): Promise<void> {
    try {
      await this.outcome;
    } finally {
      for (const cancel of this.timers) cancel();
    }
  }

  /** Whether it was finished or failed: what starts now has nobody to end it. */
  get isOver(): boolean {
    return this.hasEnded;
  }

  /** The first of `finish` and `fail` counts. */
  finish(): void {
    this.hasEnded = true;
    this.resolve();
  }

  fail(error: unknown): void {
    this.hasEnded = true;
    this.reject(error instanceof Error ? error : new Error(String(error)));
  }

  /** Runs `body`; what it throws is a failure. */
  guard(body: () => void): void {
    try {
      body();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Whatever `work` rejects with is a failure. @returns when it has settled, never rejects */
  guardAsync(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => this.fail(error));
  }

  /** Calls `callback` once after `delayMs`, unless the lifetime is over by then. */
  after(delayMs: number, callback: () => void): void {
    const cancel = this.clock.setTimer(delayMs, () => {
      this.timers.delete(cancel);
      this.guard(callback);
    });
    this.timers.add(cancel);
  }
}
