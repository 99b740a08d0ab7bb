import type { JetStreamManager, NatsConnection } from 'nats';
import type { Clock } from '../../core/clock.js';
import { fault } from '../faults.js';
import { isConflict, isMissing, isUncertain } from './connection.js';
import { answered, attemptMs, managerOf, purge } from './requests.js';

const stream = 'LOCKSTEP_JOURNAL';
const subjectOf = (run: string): string => `lockstep.journal.${run}`;
const writerHeader = 'Lockstep-Writer';
/** Until an entry that was not stored is sent again. */
const pauseMs = 250;

export interface JournalStreamOptions {
  /** Tells this process's entries from those of others. */
  readonly writer: string;
  /** How long the server may be out of reach while an entry waits. */
  readonly limitSeconds: number;
}

/**
 * A run's journal in JetStream. An append states the last sequence number that this process knows, so that of two
 * coordinators at most one goes on: the first entry of the next one makes every later append of the one before fail
 * (protocol, rule 12).
 */
export class JournalStream {
  private sequence = 0;
  private count = 0;

  private constructor(
    private readonly connection: NatsConnection,
    private readonly manager: JetStreamManager,
    private readonly run: string,
    private readonly clock: Clock,
    private readonly options: JournalStreamOptions,
  ) {}

  static async open(
    connection: NatsConnection,
    run: string,
    clock: Clock,
    options: JournalStreamOptions,
  ): Promise<JournalStream> {
    const manager = await managerOf(connection);
    await answered(() => manager.streams.add({ name: stream, subjects: [subjectOf('*')] })); // harmless where it is there
    return new JournalStream(connection, manager, run, clock, options);
  }

  /** All entries so far; appends follow the last of them. */
  async *entries(): AsyncIterable<unknown> {
    this.sequence = 0;
    for (;;) {
      const query = { seq: this.sequence + 1, next_by_subj: subjectOf(this.run) };
      const next = await answered(() => this.manager.streams.getMessage(stream, query)).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (!next) return;
      this.sequence = next.seq;
      yield next.json();
    }
  }

  /**
   * Resolves when the entry is in the stream. While the server is out of reach it is tried again and again.
   *
   * @throws LockstepError `JOURNAL_TAKEN` if another process has written; `NATS_SILENT` after `limitSeconds`
   */
  async append(entry: object): Promise<void> {
    const { headers } = await import('nats');
    const mark = `${this.options.writer}/${++this.count}`;
    const header = headers();
    header.set(writerHeader, mark);
    const payload = JSON.stringify(entry);
    const beganMs = this.clock.nowMs();
    for (;;) {
      try {
        const published = await this.connection.jetstream().publish(subjectOf(this.run), payload, {
          headers: header,
          timeout: attemptMs,
          expect: { lastSubjectSequence: this.sequence },
        });
        this.sequence = published.seq;
        return;
      } catch (error) {
        if (isConflict(error)) return this.settle(mark);
        const seconds = Math.round((this.clock.nowMs() - beganMs) / 1000);
        if (!isUncertain(error)) throw error;
        if (seconds >= this.options.limitSeconds)
          throw fault('NATS_SILENT', { seconds, reason: (error as Error).message }, error);
      }
      await new Promise<void>((resolve) => void this.clock.setTimer(pauseMs, resolve));
    }
  }

  /** The last entry is not the one that we knew: it is ours, from an attempt whose answer was lost, or somebody else's. */
  private async settle(mark: string): Promise<void> {
    const query = { last_by_subj: subjectOf(this.run) };
    const last = await answered(() => this.manager.streams.getMessage(stream, query));
    const writer = last.header.get(writerHeader);
    if (writer !== mark) throw fault('JOURNAL_TAKEN', { run: this.run, writer: writer.split('/')[0] ?? 'somebody' });
    this.sequence = last.seq;
  }
}

/** Whether any coordinator of this run has begun it. */
export async function hasJournal(connection: NatsConnection, run: string): Promise<boolean> {
  const { streams } = await managerOf(connection);
  const last = await answered(() => streams.getMessage(stream, { last_by_subj: subjectOf(run) })).catch(
    (error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    },
  );
  return last !== undefined;
}

/** Removes the journal of a run that is over: one of the same name begins anew. */
export async function purgeJournal(connection: NatsConnection, run: string): Promise<void> {
  await purge(connection, stream, subjectOf(run));
}
