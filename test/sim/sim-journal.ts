import type { JournalRecord } from '../../src/cluster/messages.js';
import type { World } from './world.js';

/** Where the journal lies: on the disk of the one coordinator, or in NATS, between two of them. */
export const nats = 'nats';

/**
 * The journal, which outlives every coordinator. An append says how long the writer knows it to be: where several may write,
 * it fails if somebody else has written since (rule 12). On a disk a lock on the folder sees to it that there is one.
 */
export class SimJournal {
  constructor(private readonly world: World) {}

  get length(): number {
    return this.world.invariants.journal.length;
  }

  /** @returns whether the record is in the journal */
  append(record: JournalRecord, knownLength: number): boolean {
    const { invariants, rules, lease } = this.world;
    if (lease && !rules.mayAppend(knownLength, this.length)) return false;
    if (record.kind === 'begin') invariants.planned(record, (id) => this.world.workerOf(id));
    invariants.written(record);
    return true;
  }
}

const ttlMs = 2_500;

/** The key in NATS that says who leads. It is no more than a hint: who was stopped for a while still believes in it. */
export class SimLease {
  private holder: string | undefined;
  private untilMs = 0;

  constructor(private readonly world: World) {}

  /** Who leads, as whoever asks is told. */
  get current(): string | undefined {
    return this.untilMs > this.world.queue.nowMs ? this.holder : undefined;
  }

  /** @returns whether it is the holder's now, or still */
  take(holder: string): boolean {
    if (this.current !== undefined && this.current !== holder) return false;
    this.holder = holder;
    this.untilMs = this.world.queue.nowMs + ttlMs;
    return true;
  }
}
