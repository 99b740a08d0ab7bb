import type { PublicEvent } from '../live/public-events.js';
import type { Clock } from '../core/clock.js';
import { isOver, type RunRecord, type RunLedger } from '../transport/nats/run-ledger.js';
import type { Charge, WorkQueue } from '../transport/nats/work-queue.js';
import type { Commands } from './commands.js';
import { lastWords } from './last-words.js';
import { Program, type Ending } from './programs.js';
import { admission } from './queue.js';
import { newRunSecrets } from './run-secrets.js';

/** Between two attempts to have a coordinator: its predecessor's lease has to run out. */
const pauseMs = 1_000;
/** Attempts in a row that failed. */
const attemptsMax = 10;
/** Errors that a later attempt does not meet: somebody leads the run at the moment, or NATS was away. */
const passing = /\[(RUN_LED|NATS_UNREACHABLE|NATS_SILENT|JOURNAL_TAKEN|JOURNAL_FAILED|RUN_NOT_LED)\]/;

type FinishedEvent = Extract<PublicEvent, { readonly type: 'finished' }>;

export interface CoordinatorNeeds {
  readonly clock: Clock;
  readonly ledger: RunLedger;
  readonly queue: Pick<WorkQueue, 'put'>;
  readonly commands: Commands;
  newestEvent(run: string): Promise<PublicEvent | undefined>;
  hasJournal(run: string): Promise<boolean>;
  /** A program was started: its log is to be passed on. */
  watch(program: Program): void;
  readonly log: { info(text: string): void; warn(text: string): void };
}

interface Held {
  charge: Charge;
  attempts: number;
  nextMs: number;
}

/** The runs of which this agent has charge, from the queue to their end, and the coordinators on this host. */
export class Coordinators {
  private readonly held = new Map<string, Held>();
  private readonly programs = new Map<string, Program>();
  private readonly told = new Set<Program>();

  constructor(
    private readonly needs: CoordinatorNeeds,
    private readonly options: { readonly name: string; readonly folder: string; readonly wallTimeMs: () => number },
  ) {}

  /** The same run comes again when NATS was away for long. */
  take(charge: Charge): void {
    const held = this.held.get(charge.run);
    if (held) held.charge = charge;
    else this.held.set(charge.run, { charge, attempts: 0, nextMs: 0 });
  }

  adopt(program: Program): void {
    this.programs.set(program.note.run, program);
  }

  holds(program: Program): boolean {
    return this.programs.get(program.note.run) === program;
  }

  /** Runs whose coordinators are on this host. */
  get runs(): readonly string[] {
    return [...this.programs.keys()];
  }

  /** @param runs - those that NATS has, as they were a moment ago */
  async tend(runs: readonly RunRecord[]): Promise<void> {
    for (const held of this.held.values()) held.charge.keep();
    const byName = new Map(runs.map((run) => [run.name, run]));
    for (const [name, program] of this.programs) {
      if (byName.get(name)?.stop === true && !this.told.has(program)) {
        this.told.add(program);
        program.signal('SIGTERM');
      }
      if (program.ended() !== undefined && !this.held.has(name)) this.forget(name, program); // another agent sees to the run
    }
    for (const [name, held] of this.held) {
      // One that came from the queue after the list was made is not in it.
      const run = byName.get(name) ?? (await this.needs.ledger.runs.get(name))?.value;
      if (run && !isOver(run)) await this.advance(run, held, runs);
      else {
        if (run) await this.needs.ledger.secrets.delete(name); //     before nobody has charge of it any more
        held.charge.done();
        this.held.delete(name);
      }
    }
    // A launcher writes the record and nothing else. Every agent sees it, and the server lets one place come of it.
    for (const { name, state } of runs)
      if (state === 'submitted' && !this.held.has(name)) await this.needs.queue.put(name);
  }

  private async advance(run: RunRecord, held: Held, runs: readonly RunRecord[]): Promise<void> {
    switch (run.state) {
      case 'submitted':
        return this.enter(run);
      case 'queued':
        return run.stop === true
          ? this.become(run, { state: 'stopped', why: 'before it began' })
          : this.admit(run, runs);
      case 'running':
        return this.lead(run, held);
      default:
    }
  }

  /** An agent that dies halfway leaves the keys to the next one, which takes them as they are. */
  private async enter(run: RunRecord): Promise<void> {
    const { ledger } = this.needs;
    await ledger.secrets.create(run.name, await newRunSecrets(run.name, this.options.wallTimeMs));
    await this.become(run, { state: 'queued' });
  }

  private async admit(run: RunRecord, runs: readonly RunRecord[]): Promise<void> {
    const { ledger, log } = this.needs;
    const nodes = await ledger.nodes.list();
    let why: string | undefined;
    const isAdmitted = await ledger.admit(run, (admitted) => {
      const outcome = admission(run, runs, nodes, admitted);
      if (typeof outcome !== 'string') return outcome;
      why = outcome;
      return undefined;
    });
    if (isAdmitted) {
      log.info(`run ${run.name} begins`);
      await this.become(run, { state: 'running', agent: this.options.name, why: '' });
    } else if (why !== undefined && why !== run.why) await this.become(run, { why });
  }

  /** Sees to it that the run has a coordinator, until it is over. */
  private async lead(run: RunRecord, held: Held): Promise<void> {
    const { clock, log } = this.needs;
    const program = this.programs.get(run.name);
    if (program) {
      const ending = program.ended();
      if (ending === undefined) return;
      held.attempts += 1;
      held.nextMs = clock.nowMs() + pauseMs * held.attempts;
      const { log: logPath } = program;
      this.forget(run.name, program);
      if (await this.isOver(run, ending, logPath, held.attempts)) return;
      log.warn(`the coordinator of run ${run.name} ended (${JSON.stringify(ending)}): another one takes over`);
      return;
    }
    if (clock.nowMs() < held.nextMs) return;
    if (await this.endedUnseen(run)) return;
    const isTakingOver = await this.needs.hasJournal(run.name);
    const args = await this.needs.commands.coordinator(run, isTakingOver);
    if (!args) return this.become(run, { state: 'failed', why: 'NATS has no certificates of it' });
    const note = { run: run.name, kind: 'coordinator', place: 0, slot: 0 } as const;
    const started = Program.start(this.options.folder, note, args);
    this.programs.set(run.name, started);
    this.needs.watch(started);
    log.info(`started the coordinator of run ${run.name}`);
    if (run.agent !== this.options.name) await this.become(run, { agent: this.options.name });
  }

  /** Whether the coordinator's end was that of the run, which is noted then. */
  private async isOver(run: RunRecord, ending: Ending, logPath: string, attempts: number): Promise<boolean> {
    const event = await this.needs.newestEvent(run.name);
    if (event?.type === 'finished') {
      await this.becomeFinished(run, event);
      return true;
    }
    const code = ending === 'unknown' ? undefined : ending.code;
    const words = lastWords(logPath);
    const mayPass = code === undefined || code === null || code === 3 || passing.test(words);
    const isFailed = event?.type === 'failed' && !passing.test(`[${event.code}]`);
    if (!isFailed && mayPass && attempts < attemptsMax) return false;
    await this.become(run, { state: 'failed', why: isFailed ? `${event.message} [${event.code}]` : words });
    return true;
  }

  /** While no agent was there to note it: a coordinator would begin the run again. One that was interrupted is taken up. */
  private async endedUnseen(run: RunRecord): Promise<boolean> {
    const event = await this.needs.newestEvent(run.name);
    if (event?.type !== 'finished' || (event.outcome === 'interrupted' && run.stop !== true)) return false;
    await this.becomeFinished(run, event);
    return true;
  }

  private becomeFinished(run: RunRecord, { outcome, weightsDigest, steps }: FinishedEvent): Promise<void> {
    const state = outcome === 'interrupted' ? 'stopped' : 'finished';
    return this.become(run, { state, why: `${outcome} after ${steps} steps`, weightsDigest });
  }

  private async become(run: RunRecord, change: Partial<RunRecord>): Promise<void> {
    const next =
      change.state && isOver({ state: change.state }) ? { ...change, endedMs: this.options.wallTimeMs() } : change;
    await this.needs.ledger.change(run.name, (now) => (isOver(now) ? now : { ...now, ...next }));
  }

  private forget(name: string, program: Program): void {
    program.forget();
    this.told.delete(program);
    this.programs.delete(name);
  }
}
