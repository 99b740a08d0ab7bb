import type { NatsConnection } from 'nats';
import { isMissing } from './connection.js';
import { answered, managerOf, purge } from './requests.js';

const stream = 'LOCKSTEP_LOGS';
const subjectOf = (run: string, who: string): string => `lockstep.logs.${run}.${who}`;
/** What the logs of all runs may take, and how long they are kept. */
const bytesMax = 256 * 1024 * 1024;
const keptDays = 7;
const dayNs = 86_400 * 1e9;

export interface LogChunk {
  /** Which program of the run wrote it. */
  readonly who: string;
  /** Whole lines. */
  readonly text: string;
}

/** What the programs of all runs log, as their agents pass it on. */
export class LogStream {
  private constructor(private readonly connection: NatsConnection) {}

  static async open(connection: NatsConnection): Promise<LogStream> {
    const manager = await managerOf(connection);
    const limits = { max_bytes: bytesMax, max_age: keptDays * dayNs };
    await answered(() => manager.streams.add({ name: stream, subjects: [subjectOf('*', '*')], ...limits }));
    return new LogStream(connection);
  }

  async append(run: string, who: string, text: string): Promise<void> {
    await this.connection.jetstream().publish(subjectOf(run, who), text);
  }

  async purge(run: string): Promise<void> {
    await purge(this.connection, stream, subjectOf(run, '*'));
  }

  /** What was logged from a place on, and the place after it. */
  async *read(run: string, from = 1): AsyncIterable<LogChunk & { readonly next: number }> {
    const manager = await managerOf(this.connection);
    for (let seq = from; ;) {
      const query = { seq, next_by_subj: subjectOf(run, '*') };
      const message = await answered(() => manager.streams.getMessage(stream, query)).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (!message) return;
      seq = message.seq + 1;
      yield { who: message.subject.split('.').at(-1)!, text: message.string(), next: seq };
    }
  }
}
