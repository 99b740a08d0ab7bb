import type { RunEvent } from '../core/events.js';

/** What one reader that does not keep up may have before it. */
const waitingMax = 10_000;

/** Events of a run for whoever iterates, each from the moment at which it begins to. */
export class EventStreams {
  private readonly streams = new Set<{ waiting: RunEvent[]; wake: (() => void) | undefined }>();
  private end: { readonly error?: unknown } | undefined;

  push(event: RunEvent): void {
    for (const stream of this.streams) {
      stream.waiting.push(event);
      if (stream.waiting.length > waitingMax) stream.waiting.shift();
      stream.wake?.();
    }
  }

  /** @param end - with what everybody's iteration throws, if anything */
  close(end: { readonly error?: unknown } = {}): void {
    this.end ??= end;
    for (const stream of this.streams) stream.wake?.();
  }

  iterate(): AsyncIterator<RunEvent, undefined> {
    const stream: { waiting: RunEvent[]; wake: (() => void) | undefined } = { waiting: [], wake: undefined };
    this.streams.add(stream); //                                      now, and not when the first event is asked for
    const events = this.eventsOf(stream);
    return { next: () => events.next(), return: () => (this.streams.delete(stream), events.return(undefined)) };
  }

  private async *eventsOf(stream: {
    waiting: RunEvent[];
    wake: (() => void) | undefined;
  }): AsyncGenerator<RunEvent, undefined> {
    for (;;) {
      while (stream.waiting.length > 0) yield stream.waiting.shift()!;
      if (this.end) break;
      await new Promise<void>((resolve) => (stream.wake = resolve));
    }
    this.streams.delete(stream);
    if ('error' in this.end) throw this.end.error;
    return undefined;
  }
}
