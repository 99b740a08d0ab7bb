import type { RandomStream } from '../../src/core/random.js';
import type { EventQueue } from './event-queue.js';

/** Draws of a simulation. */
export class Chance {
  constructor(private readonly stream: RandomStream) {}
  /** Whole number in 0..limit-1. */
  below(limit: number): number {
    return this.stream.uint32() % limit;
  }
  /** Whole number in low..high. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }
  one(probability: number): boolean {
    return this.stream.uint32() < probability * 4_294_967_296;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

/** What is cut off or stands still, until when. Places are hosts: a worker's place outlives its ids. */
export class Network {
  private readonly partitions: { readonly side: ReadonlySet<string>; readonly untilMs: number }[] = [];
  private readonly pausedUntilMs = new Map<string, number>();

  constructor(
    readonly queue: EventQueue,
    readonly chance: Chance,
  ) {}

  /** Nothing passes between `side` and the others for a while; what is sent arrives afterwards, if its stream lives. */
  partition(side: ReadonlySet<string>, forMs: number): void {
    this.partitions.push({ side, untilMs: this.queue.nowMs + forMs });
  }

  /** The process at a place does nothing for a while (SIGSTOP). */
  pause(place: string, forMs: number): void {
    this.pausedUntilMs.set(place, this.queue.nowMs + forMs);
  }

  isPaused(place: string): boolean {
    return (this.pausedUntilMs.get(place) ?? 0) > this.queue.nowMs;
  }

  /** When something that is there now can be taken by `to`; now, if nothing is in the way. */
  passesAtMs(from: string, to: string): number {
    const { nowMs } = this.queue;
    let atMs = Math.max(nowMs, this.pausedUntilMs.get(to) ?? 0);
    for (const { side, untilMs } of this.partitions)
      if (side.has(from) !== side.has(to)) atMs = Math.max(atMs, untilMs);
    return atMs;
  }
}

/**
 * One direction of a stream: what arrives, arrives in order, after delays of its own. When the stream breaks, the rest is
 * lost, or, as from a buffer that nobody emptied, still arrives in order but late, after messages of later streams.
 */
export class Pipe<T> {
  private readonly waiting: { readonly message: T; readonly readyMs: number }[] = [];
  private isOpen = true;
  private isLate = false;

  constructor(
    private readonly network: Network,
    private readonly from: string,
    private readonly to: string,
    private readonly delayMs: () => number,
    /** @param late - the stream is broken */
    private readonly deliver: (message: T, late: boolean) => void,
  ) {}

  send(message: T): void {
    if (!this.isOpen) return;
    const { queue } = this.network;
    const readyMs = Math.max(queue.nowMs + this.delayMs(), this.waiting.at(-1)?.readyMs ?? 0);
    this.waiting.push({ message, readyMs });
    if (this.waiting.length === 1) this.pumpAt(readyMs);
  }

  break(lateness: number): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.isLate = this.network.chance.one(lateness);
    if (!this.isLate) this.waiting.length = 0;
    else
      for (const entry of this.waiting.splice(0)) {
        const readyMs = entry.readyMs + this.network.chance.between(0, 1500);
        this.waiting.push({ message: entry.message, readyMs: Math.max(readyMs, this.waiting.at(-1)?.readyMs ?? 0) });
      }
  }

  private pumpAt(atMs: number): void {
    this.network.queue.at(atMs, () => this.pump());
  }

  private pump(): void {
    const first = this.waiting[0];
    if (!first) return;
    const atMs = Math.max(first.readyMs, this.network.passesAtMs(this.from, this.to));
    if (atMs > this.network.queue.nowMs) return this.pumpAt(atMs);
    this.waiting.shift();
    const next = this.waiting[0];
    if (next) this.pumpAt(next.readyMs);
    this.deliver(first.message, this.isLate);
  }
}
