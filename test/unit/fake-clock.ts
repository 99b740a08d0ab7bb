import type { Clock } from '../../src/core/clock.js';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Time that stands still until a test moves it. Timers fire in order of their time, equal ones in order of their setting. */
export class FakeClock implements Clock {
  private readonly timers = new Set<Timer>();
  private timersSet = 0;

  constructor(private now = 0) {}

  nowMs(): number {
    return this.now;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.now + Math.max(0, delayMs), order: this.timersSet++, callback };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  /** Timers that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  /** When the next timer is due, if there is one. */
  get nextDueMs(): number | undefined {
    return this.next()?.dueMs;
  }

  /** Moves time on and fires what falls due on the way, each at its own time, those that a callback sets included. */
  advance(ms: number): void {
    const endMs = this.now + ms;
    for (let timer = this.next(); timer && timer.dueMs <= endMs; timer = this.next()) {
      this.timers.delete(timer);
      this.now = timer.dueMs;
      timer.callback();
    }
    this.now = endMs;
  }

  /** Time that passes at once, as while a machine is suspended: what fell due meanwhile fires late, at the end of it. */
  jump(ms: number): void {
    this.now += ms;
    const due = [...this.timers].filter(({ dueMs }) => dueMs <= this.now);
    for (const timer of due) {
      this.timers.delete(timer);
      timer.callback();
    }
  }

  private next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers) {
      if (!first || timer.dueMs < first.dueMs || (timer.dueMs === first.dueMs && timer.order < first.order))
        first = timer;
    }
    return first;
  }
}
