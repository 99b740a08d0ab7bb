/** Leading a run whose lease and journal are in NATS. */
import type { Clock } from '../core/clock.js';
import type { LockstepError } from '../core/errors.js';
import { connectNats, type NatsAccess, type NatsConnection, type NatsOnlooker } from '../transport/nats/connection.js';
import { EventStream, type EventStreamNeeds } from '../transport/nats/event-stream.js';
import { JournalStream } from '../transport/nats/journal-stream.js';
import { Leases, type Lease } from '../transport/nats/lease.js';
import { fault as transportFault } from '../transport/faults.js';
import { readJournal, type JournalContent, type JournalEntry } from './journal.js';
import type { Earlier } from './resumption.js';
import { RunRecord } from './run-record.js';

/** How often a standby looks whether the lease is free. */
const lookMs = 250;

export interface LeadershipOptions {
  readonly nats: NatsAccess;
  /** Name of the run in NATS. */
  readonly run: string;
  /** This process, as others are told of it. */
  readonly holder: string;
  readonly isStandby: boolean;
  /** How long NATS may be out of reach while the journal must be written. */
  readonly limitSeconds: number;
}

export interface LeadershipNeeds extends NatsOnlooker {
  readonly clock: Clock;
}

export class Leadership {
  private constructor(
    private readonly connection: NatsConnection,
    private readonly options: LeadershipOptions,
    private readonly lease: Lease,
    private readonly journal: JournalStream,
    /** What the journal says of the run that goes on, or of those before. */
    readonly content: JournalContent,
  ) {}

  /**
   * Waits for the lease if this is a standby, then takes it and reads the journal.
   *
   * @returns undefined if this is a standby and the run came to its end meanwhile
   * @throws LockstepError `NATS_UNREACHABLE`; `RUN_LED` if somebody leads the run and this is no standby
   */
  static async take(options: LeadershipOptions, needs: LeadershipNeeds): Promise<Leadership | undefined> {
    const { clock, log } = needs;
    const { nats, run, holder, isStandby, limitSeconds } = options;
    const connection = await connectNats(nats, `lockstep coordinator ${holder}`, needs);
    try {
      const leases = await Leases.open(connection, clock);
      const journal = await JournalStream.open(connection, run, clock, { writer: holder, limitSeconds });
      const pause = () => new Promise<void>((resolve) => void clock.setTimer(lookMs, resolve));
      if (isStandby) log.info(`standing by for run ${run}`);
      for (;;) {
        // A run that nobody has begun is nothing to stand by for.
        const found = await leases.holderOf(run);
        const content = found ? undefined : await readJournal(journal.entries());
        const isThere = content !== undefined && needsCoordinator(content);
        if (isStandby && content?.isTold === true) {
          await connection.close();
          return undefined;
        }
        if (content && (isThere || !isStandby)) {
          const lease = await leases.acquire(run, holder);
          // Read again: the one before may have written until it lost the lease.
          if (lease) return new Leadership(connection, options, lease, journal, await readJournal(journal.entries()));
        }
        if (!isStandby && found) throw transportFault('RUN_LED', { run, ...found });
        await pause();
      }
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** Whether the journal is that of a run that somebody has to lead on, if only to tell its workers that it has ended. */
  get isSuccessor(): boolean {
    return needsCoordinator(this.content);
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
    const { newestBegin, isEnded, report, seconds } = this.content;
    const known = recorded ?? { record: new RunRecord(), seconds: 0 };
    const saved = { savedCheckpointStep: 0, savedBestStep: 0, ...recorded?.restored };
    const term = Math.max(this.content.term, this.lease.token - 1); // higher than all before, and at least the lease's token
    if (!this.isSuccessor) return { ...known, term };
    return {
      ...known,
      term,
      seconds: Math.max(known.seconds, seconds),
      restored: { ...saved, newestBegin, isEnded, report },
    };
  }

  /** Tells workers where the coordinator is. @param onLost - called when somebody else leads the run */
  async publish(address: string, onLost: (error: LockstepError) => void): Promise<void> {
    const { run } = this.options;
    await this.lease.publish(address, (writer) => onLost(transportFault('JOURNAL_TAKEN', { run, writer })));
  }

  /** @returns undefined, with a warning, if NATS does not take them: a run does not end for that */
  async openEvents(runId: string, needs: EventStreamNeeds): Promise<EventStream | undefined> {
    const { run, holder: writer } = this.options;
    try {
      return await EventStream.open(this.connection, { run, runId, writer }, needs);
    } catch (error) {
      needs.log.warn(`the events of the run are not kept in NATS: ${(error as Error).message}`);
      return undefined;
    }
  }

  async close(): Promise<void> {
    await this.lease.release();
    await this.connection.close();
  }
}

function needsCoordinator({ run, isTold }: JournalContent): boolean {
  return run !== undefined && !isTold;
}
