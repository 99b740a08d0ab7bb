import type { NatsConnection } from 'nats';
import { Bucket, type Entry } from './bucket.js';

/** What somebody asks for with `lockstep launch`. */
export interface RunRequest {
  /** Its name in NATS. */
  readonly name: string;
  /** Slots without which it does not begin. */
  readonly workers: number;
  /** Slots that it takes where nobody else wants them. */
  readonly maxWorkers: number;
  /** Higher ones go first. */
  readonly priority: number;
  /** What follows `lockstep coordinator`, as far as it says what to compute. */
  readonly flags: readonly string[];
  /** Since 1970. */
  readonly submittedMs: number;
}

/** `submitted` by the launcher, which does no more than that; `queued` once an agent has taken charge of it. */
export type RunState = 'submitted' | 'queued' | 'running' | 'finished' | 'failed' | 'stopped';

export interface RunRecord extends RunRequest {
  readonly state: RunState;
  /** Somebody wants it to end. */
  readonly stop?: boolean;
  /** Why it waits, or how it ended. */
  readonly why?: string;
  /** The agent that has charge of its coordinator. */
  readonly agent?: string;
  readonly weightsDigest?: string;
  /** When it was over, since 1970. */
  readonly endedMs?: number;
}

export function isOver({ state }: Pick<RunRecord, 'state'>): boolean {
  return state === 'finished' || state === 'failed' || state === 'stopped';
}

/** Whoever has these can take part in the run: PEM, PEM, and the token of its metrics. */
export interface RunSecrets {
  readonly ca: string;
  readonly key: string;
  readonly metricsToken: string;
}

/** That a user wants nothing more of a run. */
export interface PrunedRecord {
  /** Since 1970. */
  readonly atMs: number;
}

/** A host, as its agent announces it. */
export interface NodeRecord {
  readonly host: string;
  /** Tells agents of one name apart; the successor of an agent has its. */
  readonly instance: string;
  readonly slots: readonly {
    /** `2 threads`, or the name of a GPU. */
    readonly what: string;
    /** The run that has it. */
    readonly run?: string | undefined;
  }[];
}

/** Who runs the worker at a place of a run. */
export interface PlaceRecord {
  readonly agent: string;
}

/** Who was let begin: the sum of their workers never exceeds the slots, whoever decides. */
export interface Admissions {
  readonly workers: Readonly<Record<string, number>>;
}

/** A node that does not announce itself for this long is gone. */
export const nodeTtlMs = 5_000;
/** A place whose agent does not claim it again for this long is free. */
export const placeTtlMs = 8_000;
/** An agent that is away for so long keeps what it has of runs that were pruned meanwhile. */
const prunedTtlMs = 30 * 86_400_000;
/** The one entry of its bucket. */
const admissionsKey = 'all';

/** Everything that agents and launchers know of each other. */
export class RunLedger {
  private constructor(
    readonly runs: Bucket<RunRecord>,
    readonly secrets: Bucket<RunSecrets>,
    readonly nodes: Bucket<NodeRecord>,
    readonly places: Bucket<PlaceRecord>,
    readonly pruned: Bucket<PrunedRecord>,
    private readonly admitted: Bucket<Admissions>,
  ) {}

  static async open(connection: NatsConnection): Promise<RunLedger> {
    return new RunLedger(
      await Bucket.open(connection, 'lockstep-runs'),
      await Bucket.open(connection, 'lockstep-secrets'),
      await Bucket.open(connection, 'lockstep-nodes', nodeTtlMs),
      await Bucket.open(connection, 'lockstep-places', placeTtlMs),
      await Bucket.open(connection, 'lockstep-pruned', prunedTtlMs),
      await Bucket.open(connection, 'lockstep-admissions'),
    );
  }

  /** Changes what is there, however many change it at the same time. @returns what it is now */
  async change(name: string, by: (record: RunRecord) => RunRecord): Promise<RunRecord | undefined> {
    for (;;) {
      const entry = await this.runs.get(name);
      if (!entry) return undefined;
      const next = by(entry.value);
      if (next === entry.value || (await this.runs.update(name, next, entry.revision))) return next;
    }
  }

  /**
   * Lets a run begin if `decide` says so of those that were let begin before.
   *
   * @returns whether it may begin: no other decision came in between
   */
  async admit(run: RunRequest, decide: (admitted: Admissions) => Admissions | undefined): Promise<boolean> {
    const entry: Entry<Admissions> | undefined = await this.admitted.get(admissionsKey);
    const next = decide(entry?.value ?? { workers: {} });
    if (!next) return false;
    if (run.name in (entry?.value.workers ?? {})) return true;
    const revision = entry
      ? await this.admitted.update(admissionsKey, next, entry.revision)
      : await this.admitted.create(admissionsKey, next);
    return revision !== undefined;
  }
}

/** The key of a place. */
export function placeKey(run: string, index: number): string {
  return `${run}.${index}`;
}
