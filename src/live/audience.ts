import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.js';
import type { Known, Recorder } from './recorder.js';
import { EventStream, keepAliveMs } from './server-sent-events.js';

/** People who look on at the same time; more are asked to try later. */
export const audienceMax = 64;
/** How often a page hears of what is new: smooth to the eye, and nothing beside a step's work. */
const everyMs = 500;
/** What one that reads events may be behind before it is sent away: it can come back and ask from where it was. */
const behindBytesMax = 4 << 20;

interface Onlooker {
  readonly stream: EventStream;
  known: Known;
  revision: number;
  toldAtMs: number;
}

/** Everybody who follows the run over HTTP. Nobody of them can slow it: who is behind is told less often. */
export class Audience {
  private readonly onlookers = new Set<Onlooker>();
  private readonly readers = new Set<() => Promise<void>>();
  private cancelTimer: (() => void) | undefined;

  constructor(
    private readonly recorder: Recorder,
    private readonly clock: Clock,
  ) {}

  get size(): number {
    return this.onlookers.size + this.readers.size;
  }

  /** Sends the picture, and from then on what changes in it. */
  watch(response: ServerResponse): void {
    const onlooker: Onlooker = {
      stream: new EventStream(response),
      known: { stride: 0, count: 0 },
      revision: -1,
      toldAtMs: 0,
    };
    this.onlookers.add(onlooker);
    response.once('close', () => this.onlookers.delete(onlooker));
    this.tell(onlooker);
    this.cancelTimer ??= this.clock.setTimer(everyMs, () => this.tellAll());
  }

  /**
   * Sends the events after `sequence`, and those that come if `isFollowing`.
   *
   * @param asStream - as server-sent events; else a JSON object a line
   */
  read(
    request: IncomingMessage,
    response: ServerResponse,
    sequence: number,
    isFollowing: boolean,
    asStream: boolean,
  ): void {
    const stream = asStream ? new EventStream(response) : undefined;
    if (!stream)
      response.writeHead(200, { 'content-type': 'application/x-ndjson; charset=utf-8', 'cache-control': 'no-store' });
    const send = (event: { readonly type: string; readonly sequence: number }): void => {
      if (response.writableLength > behindBytesMax) response.destroy();
      else if (stream) stream.send(event.type, event, event.sequence);
      else response.write(`${JSON.stringify(event)}\n`);
    };
    for (const event of this.recorder.events.since(sequence)) send(event);
    if (!isFollowing) return void response.end();
    if (!stream) response.flushHeaders();
    const stop = this.recorder.events.listen(send);
    const end = () => new Promise<void>((resolve) => void response.once('close', resolve).end(resolve));
    this.readers.add(end);
    request.once('close', () => {
      stop();
      this.readers.delete(end);
    });
  }

  /** The run is over: everybody hears the end of it. */
  async close(): Promise<void> {
    this.cancelTimer?.();
    const ends = [...this.onlookers].map((onlooker) => {
      this.tell(onlooker);
      onlooker.stream.send('end', {});
      return onlooker.stream.end();
    });
    await Promise.all([...ends, ...[...this.readers].map((end) => end())]);
  }

  private tellAll(): void {
    this.cancelTimer = undefined;
    for (const onlooker of this.onlookers) this.tell(onlooker);
    if (this.onlookers.size > 0) this.cancelTimer = this.clock.setTimer(everyMs, () => this.tellAll());
  }

  private tell(onlooker: Onlooker): void {
    const { recorder, clock } = this;
    if (onlooker.stream.isFull) return;
    if (onlooker.revision === recorder.revision) {
      if (clock.nowMs() - onlooker.toldAtMs < keepAliveMs) return;
      onlooker.stream.keepAlive();
    } else {
      const picture = recorder.picture(onlooker.known);
      onlooker.stream.send('picture', picture);
      const { stride, from, step } = picture.curves;
      onlooker.known = { stride, count: from + step.length };
      onlooker.revision = recorder.revision;
    }
    onlooker.toldAtMs = clock.nowMs();
  }
}
