import type { Duplex } from 'node:stream';

/** Of one worker, that wait to be used: it lends another one whenever one is taken. */
const idleMax = 4;

interface Wanting {
  readonly take: (connection: Duplex) => void;
}

/** Connections that workers have lent us and nobody uses yet, by the workers' addresses. */
export class LentConnections {
  private readonly idle = new Map<string, Duplex[]>();
  private readonly wanting = new Map<string, Wanting[]>();

  offer(address: string, connection: Duplex): void {
    const [first, ...rest] = this.wanting.get(address) ?? [];
    if (first) {
      this.wanting.set(address, rest);
      return first.take(connection);
    }
    const idle = (this.idle.get(address) ?? []).filter((other) => !other.destroyed);
    if (idle.length >= idleMax) return void connection.destroy();
    this.idle.set(address, [...idle, connection]);
  }

  /** One that is there or comes. @param signal - when nobody waits for it any more @throws what `signal` was aborted with */
  async take(address: string, signal: AbortSignal): Promise<Duplex> {
    signal.throwIfAborted();
    const connection = this.idle.get(address)?.shift();
    if (connection && !connection.destroyed) return connection;
    if (connection) return this.take(address, signal);
    return new Promise((resolve, reject) => {
      const wanting: Wanting = { take: resolve };
      this.wanting.set(address, [...(this.wanting.get(address) ?? []), wanting]);
      signal.addEventListener('abort', () => {
        const others = (this.wanting.get(address) ?? []).filter((other) => other !== wanting);
        this.wanting.set(address, others);
        reject(signal.reason as Error);
      });
    });
  }

  close(): void {
    for (const connections of this.idle.values()) for (const connection of connections) connection.destroy();
    this.idle.clear();
  }
}
