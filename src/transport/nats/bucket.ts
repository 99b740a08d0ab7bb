import type { JetStreamManager, KV, NatsConnection, StoredMsg } from 'nats';
import { isConflict, isMissing } from './connection.js';
import { answered, attemptMs, managerOf } from './requests.js';

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
    const options = { history: 1, timeout: attemptMs, ...(ttlMs === 0 ? {} : { ttl: ttlMs }) };
    const { views } = connection.jetstream({ timeout: attemptMs });
    return new Bucket(name, await answered(() => views.kv(name, options)), await managerOf(connection));
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
    const entry = await answered(() => this.kv.get(key));
    return entry?.operation === 'PUT' ? { key, value: entry.json<Value>(), revision: entry.revision } : undefined;
  }

  async put(key: string, value: Value): Promise<void> {
    await answered(() => this.kv.put(key, JSON.stringify(value)));
  }

  /** @returns its revision; undefined if somebody else was faster */
  async create(key: string, value: Value): Promise<number | undefined> {
    const text = JSON.stringify(value);
    return this.unlessConflict(key, text, () => this.kv.create(key, text));
  }

  /** @returns its new revision; undefined if somebody has changed it since `revision` */
  async update(key: string, value: Value, revision: number): Promise<number | undefined> {
    const text = JSON.stringify(value);
    return this.unlessConflict(key, text, () => this.kv.update(key, text, revision));
  }

  /** @param revision - if given: unless somebody has changed it since, which is an error */
  async delete(key: string, revision?: number): Promise<void> {
    await answered(() => this.kv.delete(key, revision === undefined ? {} : { previousSeq: revision }));
  }

  private async unlessConflict(key: string, text: string, change: () => Promise<number>): Promise<number | undefined> {
    let attempts = 0;
    const attempt = (): Promise<number> => {
      attempts += 1;
      return change();
    };
    try {
      return await answered(attempt);
    } catch (error) {
      if (!isConflict(error)) throw error;
      const now = attempts > 1 ? await this.get(key) : undefined; //     the one before may have been stored, its answer lost
      return now && JSON.stringify(now.value) === text ? now.revision : undefined;
    }
  }

  private async messageFrom(seq: number, subject: string): Promise<StoredMsg | undefined> {
    // The client's own type knows only the older form of the request.
    const query = { seq, next_by_subj: subject };
    return answered(() => this.manager.streams.getMessage(`KV_${this.name}`, query)).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
  }
}
