import type { JetStreamManager, KV, NatsConnection, StoredMsg } from 'nats';
import { isConflict, isMissing } from './connection.js';

/** A value with the revision that a change has to name. */
export interface Entry<Value> {
  readonly key: string;
  readonly value: Value;
  readonly revision: number;
}

/**
 * A key-value bucket of JSON. Everything is a request with an answer and nothing a subscription: a server that was killed and
 * started again is the same to the next request.
 */
export class Bucket<Value> {
  private constructor(
    private readonly name: string,
    private readonly kv: KV,
    private readonly manager: JetStreamManager,
  ) {}

  /** @param ttlMs - after which a value is gone that nobody has written again; 0: never */
  static async open<Value>(connection: NatsConnection, name: string, ttlMs = 0): Promise<Bucket<Value>> {
    const options = { history: 1, ...(ttlMs === 0 ? {} : { ttl: ttlMs }) };
    return new Bucket(name, await connection.jetstream().views.kv(name, options), await connection.jetstreamManager());
  }

  /** Whatever is there now, in the order in which it was written last. */
  async list(): Promise<readonly Entry<Value>[]> {
    const found: Entry<Value>[] = [];
    const prefix = `$KV.${this.name}.`;
    for (let next = 1; ;) {
      const message = await this.messageFrom(next, `${prefix}>`);
      if (!message) return found;
      next = message.seq + 1;
      if (message.header.get('KV-Operation') !== '') continue; //      deleted
      found.push({ key: message.subject.slice(prefix.length), value: message.json<Value>(), revision: message.seq });
    }
  }

  async get(key: string): Promise<Entry<Value> | undefined> {
    const entry = await this.kv.get(key);
    return entry?.operation === 'PUT' ? { key, value: entry.json<Value>(), revision: entry.revision } : undefined;
  }

  async put(key: string, value: Value): Promise<void> {
    await this.kv.put(key, JSON.stringify(value));
  }

  /** @returns whether nobody else was faster */
  async create(key: string, value: Value): Promise<boolean> {
    return unlessConflict(this.kv.create(key, JSON.stringify(value)));
  }

  /** @returns whether nobody has changed it since `revision` */
  async update(key: string, value: Value, revision: number): Promise<boolean> {
    return unlessConflict(this.kv.update(key, JSON.stringify(value), revision));
  }

  async delete(key: string): Promise<void> {
    await this.kv.delete(key);
  }

  private async messageFrom(seq: number, subject: string): Promise<StoredMsg | undefined> {
    // The client's own type knows only the older form of the request.
    const query = { seq, next_by_subj: subject };
    return this.manager.streams.getMessage(`KV_${this.name}`, query).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
  }
}

async function unlessConflict(change: Promise<unknown>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}
