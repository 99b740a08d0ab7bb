import { eventSchema, type EventBody, type PublicEvent } from './public-events.js';

/** About two hours of summaries; what is older is in events.jsonl. */
const keptMax = 4096;

/** The events of a run, numbered, the newest ones kept; whoever listens is told of each new one. */
export class EventLog {
  private readonly kept: PublicEvent[] = [];
  private sequence = 0;
  private readonly listeners = new Set<(event: PublicEvent) => void>();

  /** @param wallTimeMs - since 1970 */
  constructor(
    private readonly runId: string,
    private readonly wallTimeMs: () => number,
  ) {}

  add(body: EventBody): void {
    const time = new Date(this.wallTimeMs()).toISOString();
    const event: PublicEvent = { schema: eventSchema, sequence: this.sequence + 1, time, run: this.runId, ...body };
    this.remember(event);
    for (const listener of this.listeners) listener(event);
  }

  /** An event of an earlier process, which nobody is told of; those that follow are numbered from there. */
  remember(event: PublicEvent): void {
    this.sequence = event.sequence;
    this.kept.push(event);
    if (this.kept.length > keptMax) this.kept.shift();
  }

  /** Of the newest event; 0 without one. */
  get lastSequence(): number {
    return this.sequence;
  }

  /** Those after `sequence`, as far as they are kept. */
  since(sequence: number): readonly PublicEvent[] {
    const first = this.kept.findIndex((event) => event.sequence > sequence); // what was remembered may have gaps
    return first < 0 ? [] : this.kept.slice(first);
  }

  /** The newest `count` that are no summaries of steps, oldest first. */
  newest(count: number): readonly PublicEvent[] {
    const found: PublicEvent[] = [];
    for (let i = this.kept.length - 1; i >= 0 && found.length < count; i--)
      if (this.kept[i]!.type !== 'steps') found.unshift(this.kept[i]!);
    return found;
  }

  /** @returns stops listening */
  listen(listener: (event: PublicEvent) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}
