import type { ServerResponse } from 'node:http';

/** Proxies and browsers give up on a connection on which nothing comes; a comment is enough. */
export const keepAliveMs = 15_000;

/** One page that follows: events as text, and no more than it takes. */
export class EventStream {
  constructor(private readonly response: ServerResponse) {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
  }

  /** Whether the other side is behind: what is sent now would only fill memory. */
  get isFull(): boolean {
    return this.response.writableNeedDrain;
  }

  /** @param data - becomes JSON, which has no line breaks */
  send(event: string, data: unknown, id?: number): void {
    this.response.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  keepAlive(): void {
    this.response.write(':\n\n');
  }

  /** @returns when everything has left, or the other side is gone */
  end(): Promise<void> {
    return new Promise((resolve) => {
      this.response.once('close', resolve);
      this.response.end(resolve);
    });
  }
}
