/** Over which the smallest delay is looked for: clocks of two machines drift apart by milliseconds in minutes. */
const windowMs = 30_000;

/**
 * Lays the clocks of workers over that of the coordinator. What a worker stamps with its clock arrives after some delay,
 * and the smallest difference seen lately is the difference of the clocks plus the smallest delay: a fraction of a
 * millisecond on one machine, half a round trip between two.
 */
export class ClockAlignment {
  private readonly windows = new Map<string, { beganMs: number; current: number; previous: number }>();

  /** @param sentAtMs - by the sender's clock @param receivedAtMs - by ours */
  heard(workerId: string, sentAtMs: number, receivedAtMs: number): void {
    const differenceMs = receivedAtMs - sentAtMs;
    const window = this.windows.get(workerId);
    if (!window) {
      this.windows.set(workerId, { beganMs: receivedAtMs, current: differenceMs, previous: Infinity });
    } else if (receivedAtMs - window.beganMs > windowMs) {
      this.windows.set(workerId, { beganMs: receivedAtMs, current: differenceMs, previous: window.current });
    } else {
      window.current = Math.min(window.current, differenceMs);
    }
  }

  /** A worker's time as ours. */
  toOurs(workerId: string, theirsMs: number): number {
    const { current, previous } = this.windows.get(workerId) ?? { current: 0, previous: 0 };
    return theirsMs + Math.min(current, previous);
  }

  forget(workerId: string): void {
    this.windows.delete(workerId);
  }
}
