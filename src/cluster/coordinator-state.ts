import { type LockstepError } from '../core/errors.js';
import type { Speeds } from './balance.js';
import { ByWorker } from './by-worker.js';
import type { Begin, Generation, JournalRecord, Member, Progress, Sealed, ToWorker } from './messages.js';

/** How the coordinator is tuned; fixed for its term. */
export interface MembershipOptions {
  /** Higher than every term in the journal. */
  readonly term: number;
  /** Workers that must have joined before the first step. */
  readonly worldSize: number;
  /** With fewer left the run waits for joiners: 1 to `worldSize`. */
  readonly minWorkers: number;
  /** Joiners beyond it wait for a free place. Default: no limit. */
  readonly maxWorkers?: number;
  /** Steps of the whole run. */
  readonly lastStep: number;
  /** Samples of a step for each member, and at most in all. Default: the batch does not follow the cluster. */
  readonly batch?: { readonly perWorker: number; readonly max: number } | undefined;
  /**
   * Shares by rank from the seconds that a sample takes each, undefined where that is not known. Default: equal ones.
   */
  readonly planShares?: (secondsPerSample: readonly (number | undefined)[]) => readonly number[];
  /** Whether what members exchanged through is gone with the coordinator before: a new generation begins. Default: no. */
  readonly sealsAtTerm?: boolean;
  /** Fail with `WORKER_LOST` where the run would wait for `minWorkers`. Default: wait. */
  readonly failOnLoss?: boolean;
}

/**
 * gathering -> sealing -> journaling -> running -> storing -> ending -> ended, and from running back to sealing at
 * every change; sealing -> waiting while too few are left. A restored coordinator starts with `restoring`, until the
 * beginning of its term is in the journal. `failed` can follow any but `ended`.
 */
export type Phase =
  | 'restoring'
  | 'gathering'
  | 'sealing'
  | 'waiting'
  | 'journaling'
  | 'running'
  | 'storing'
  | 'ending'
  | 'ended'
  | 'failed';

export interface CoordinatorMembership {
  readonly options: MembershipOptions;
  readonly phase: Phase;
  /** Joined, but not in the newest Begin. In the order in which they came. */
  readonly joiners: readonly Member[];
  /** The newest Begin in the journal. */
  readonly begin: Begin | undefined;
  /** On its way into the journal. */
  readonly pending: Begin | undefined;
  /** The Seal under way, or the one that is kept while the run waits: whom it asked, and who has answered. */
  readonly seal:
    | { readonly generation: Generation; readonly asked: readonly Member[]; readonly answers: readonly Sealed[] }
    | undefined;
  /** Number of the newest generation that was ever asked for. */
  readonly lastNumber: number;
  /** Members of the pending or newest Begin that were lost since; nobody asks them again. */
  readonly departed: readonly string[];
  /** Members of the newest Begin that were lost by silence alone. */
  readonly missing: readonly string[];
  /** Members that asked to leave and have not been let go. */
  readonly leaving: readonly string[];
  /** Of the newest generation's members. */
  readonly progress: ByWorker<Progress>;
  readonly speeds: Speeds;
  /** Reports since members were last looked at together. */
  readonly reportsUnjudged: number;
  /** Since the Seal or Begin of which answers are waited for. */
  readonly ticks: number;
  /** Seals for the sake of ranges, so far. */
  readonly rebalances: number;
  readonly stopRequested: boolean;
  /** While restoring: what follows, and what came meanwhile. */
  readonly restoring: { readonly next: Phase; readonly held: readonly CoordinatorInput[] } | undefined;
}

export type CoordinatorInput =
  /** A worker that never answered a Seal is here, for the first time or after its stream broke. */
  | { readonly kind: 'joined'; readonly member: Member }
  /** A worker that has answered a Seal is back after its stream broke or the coordinator was replaced (rule 11). */
  | { readonly kind: 'greeted'; readonly progress: Progress }
  /** Also for a member of the newest Begin that has not greeted a restored coordinator in time. */
  | {
      readonly kind: 'lost';
      readonly workerId: string;
      readonly reason: string;
      /**
       * Only silence speaks for it, nobody says that the process is gone: if nobody else has the state, it is waited for
       * (rule 13). Default: false.
       */
      readonly mayReturn?: boolean;
    }
  /** A worker asks to leave (rule 9). */
  | { readonly kind: 'leaving'; readonly workerId: string }
  | { readonly kind: 'message'; readonly message: Sealed | Progress }
  | { readonly kind: 'appended' }
  | { readonly kind: 'append-failed'; readonly reason: string }
  | { readonly kind: 'stop' }
  | { readonly kind: 'stored' }
  /** Time has passed: what has not been answered is said again (rule 5). */
  | { readonly kind: 'tick' };

export type CoordinatorAction =
  | { readonly kind: 'send'; readonly workerId: string; readonly message: ToWorker }
  /** Write to the journal, durably; then say `appended` or `append-failed`. */
  | { readonly kind: 'append'; readonly record: JournalRecord }
  /**
   * Fetch the final state from this member and store it; then say `stored`. If the member cannot be reached, say nothing:
   * when it is lost another one is named, and when it greets it is named again.
   */
  | { readonly kind: 'store'; readonly member: Member; readonly step: number; readonly progress: Progress }
  /**
   * `left`: nobody needs the worker any more, it may exit. `dropped`: it is outside of the newest Begin (rule 14): it
   * abandons what it does, drops its state and may come back under a new id.
   */
  | { readonly kind: 'dismissed'; readonly workerId: string; readonly why: 'left' | 'dropped' }
  /** The End is in the journal. Whoever greets from now on is answered with it, for as long as the program stays. */
  | { readonly kind: 'finish' }
  | { readonly kind: 'fail'; readonly error: LockstepError }
  | { readonly kind: 'log'; readonly text: string };

export interface CoordinatorOutcome {
  readonly state: CoordinatorMembership;
  readonly actions: readonly CoordinatorAction[];
}

/**
 * A coordinator whose term begins with its first Begin. Should it be replaced before, nothing tells its Seals from its
 * successor's: where workers outlive coordinators, start with `restoredCoordinator`, which journals the term first.
 */
export function newCoordinator(options: MembershipOptions): CoordinatorMembership {
  return {
    options,
    phase: 'gathering',
    joiners: [],
    begin: undefined,
    pending: undefined,
    seal: undefined,
    lastNumber: 0,
    departed: [],
    missing: [],
    leaving: [],
    progress: new ByWorker(),
    speeds: new ByWorker(),
    reportsUnjudged: 0,
    ticks: 0,
    rebalances: 0,
    stopRequested: false,
    restoring: undefined,
  };
}

/**
 * A coordinator in place of one that is gone (rule 12). It says nothing to anybody before its term is in the journal;
 * what comes meanwhile is held.
 *
 * @param options - `term` is higher than every term in the journal, in records of terms and in Begins
 * @param newestBegin - the last Begin in the journal, if there is one
 * @param isEnded - whether the journal has an End
 */
export function restoredCoordinator(
  options: MembershipOptions,
  newestBegin: Begin | undefined,
  isEnded: boolean,
): CoordinatorOutcome {
  const next = isEnded ? 'ended' : newestBegin ? 'running' : 'gathering';
  const wasStopped =
    newestBegin?.lastStep === newestBegin?.afterStep && (newestBegin?.lastStep ?? Infinity) < options.lastStep;
  return {
    state: {
      ...newCoordinator(options),
      phase: 'restoring',
      begin: newestBegin,
      lastNumber: newestBegin?.generation.number ?? 0,
      stopRequested: wasStopped, //                                  rule 15: a stop outlives who was told of it
      restoring: { next, held: [] },
    },
    actions: [{ kind: 'append', record: { kind: 'term', term: options.term } }],
  };
}
