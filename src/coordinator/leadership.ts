/** Leading a run whose lease and journal are in NATS. */
import type { Clock } from '../core/clock.js';
import type { LockstepError } from '../core/errors.js';
import { connectNats } from '../transport/nats/connection.js';
import { JournalStream } from '../transport/nats/journal-stream.js';
import { Leases, type Lease } from '../transport/nats/lease.js';
import { fault as transportFault } from '../transport/faults.js';
import { readJournal, type JournalContent, type JournalEntry } from './journal.js';
import type { Earlier } from './resumption.js';
import { RunRecord } from './run-record.js';

/** How often a standby looks whether the lease is free. */
const lookMs = 250;

export interface LeadershipOptions {
  readonly url: string;
  /** Name of the run in NATS. */
  readonly run: string;
  /** This process, as others are told of it. */
  readonly holder: string;
  readonly isStandby: boolean;
  /** How long NATS may be out of reach while the journal must be written. */
  readonly limitSeconds: number;
}

export interface LeadershipNeeds {
  readonly clock: Clock;
  readonly log: { info(text: string): void; warn(text: string): void };
}

export class Leadership {
  private constructor(
    private readonly run: string,
    private readonly lease: Lease,
    private readonly journal: JournalStream,
    /** What the journal says of the run that goes on, or of those before. */
    readonly content: JournalContent,
    private readonly disconnect: () => Promise<void>,
  ) {}

  /**
   * Waits for the lease if this is a standby, then takes it and reads the journal.
   *
   * @returns undefined if this is a standby and the run came to its end meanwhile
   * @throws LockstepError `NATS_UNREACHABLE`; `RUN_LED` if somebody leads the run and this is no standby
   */
  static async take(options: LeadershipOptions, { clock, log }: LeadershipNeeds): Promise<Leadership | undefined> {
    const { url, run, holder, isStandby, limitSeconds } = options;
    const connection = await connectNats(url, `lockstep coordinator ${holder}`, log);
    const disconnect = (): Promise<void> => connection.close();
    try {
      const leases = await Leases.open(connection, clock);
      const journal = await JournalStream.open(connection, run, clock, { writer: holder, limitSeconds });
      const pause = () => new Promise<void>((resolve) => void clock.setTimer(lookMs, resolve));
      if (isStandby) log.info(`standing by for run ${run}`);
      for (;;) {
        // A run that nobody has begun is nothing to stand by for.
        const found = await leases.holderOf(run);
        const content = found ? undefined : await readJournal(journal.entries());
        const isThere = content?.run !== undefined && !content.isEnded;
        const wasSeen = isStandby && content?.isEnded === true;
        if (wasSeen) {
          await disconnect();
          return undefined;
        }
        if (content && (isThere || !isStandby)) {
          const lease = await leases.acquire(run, holder);
          // Read again: the one before may have written until it lost the lease.
          if (lease) return new Leadership(run, lease, journal, await readJournal(journal.entries()), disconnect);
        }
        if (!isStandby && found) throw transportFault('RUN_LED', { run, ...found });
        await pause();
      }
    } catch (error) {
      await disconnect();
      throw error;
    }
  }

  /** Whether the journal is that of a run that has not ended. */
  get isSuccessor(): boolean {
    return this.content.run !== undefined && !this.content.isEnded;
  }

  /** @throws LockstepError `JOURNAL_TAKEN`, `NATS_SILENT` */
  append(entry: JournalEntry): Promise<void> {
    return this.journal.append(entry);
  }

  /**
   * What a coordinator starts from: membership from the journal in NATS, and what was recorded from the folder.
   *
   * @param recorded - what is in the folder, if it was this run's
   */
  earlier(recorded: Earlier | undefined): Earlier {
    const { newestBegin, isEnded, seconds } = this.content;
    const known = recorded ?? { record: new RunRecord(), seconds: 0 };
    const saved = { report: undefined, savedCheckpointStep: 0, savedBestStep: 0, ...recorded?.restored };
    const term = Math.max(this.content.term, this.lease.token - 1); // higher than all before, and at least the lease's token
    if (!this.isSuccessor) return { ...known, term };
    return { ...known, term, seconds: Math.max(known.seconds, seconds), restored: { ...saved, newestBegin, isEnded } };
  }

  /** Tells workers where the coordinator is. @param onLost - called when somebody else leads the run */
  async publish(address: string, onLost: (error: LockstepError) => void): Promise<void> {
    const { run } = this;
    await this.lease.publish(address, (writer) => onLost(transportFault('JOURNAL_TAKEN', { run, writer })));
  }

  async close(): Promise<void> {
    await this.lease.release();
    await this.disconnect();
  }
}
