import type { PublicEvent } from '../live/public-events.js';
import type { Clock } from '../core/clock.js';
import { lockstepErrorIn } from '../core/errors.js';
import type { LogStream } from '../transport/nats/log-stream.js';
import {
  isOver,
  placeKey,
  placeTtlMs,
  type PlaceRecord,
  type RunRecord,
  type RunLedger,
} from '../transport/nats/run-ledger.js';
import type { Charge, WorkQueue } from '../transport/nats/work-queue.js';
import type { Entry } from '../transport/nats/bucket.js';
import { AgentName } from './agent-name.js';
import { Commands, type CommandOptions } from './commands.js';
import { Coordinators } from './coordinators.js';
import { Housekeeping } from './housekeeping.js';
import { lastWords } from './last-words.js';
import { LogTail } from './log-tail.js';
import { Program, type Ending } from './programs.js';
import { placeToTake } from './queue.js';
import type { SlotOffer } from './slots.js';

/** How often everything is looked at. */
const tickMs = 500;
/** How long a slot rests after a worker that failed, at first and at most. */
const restMs = 1_000;
const restMsMax = 30_000;
/** What a worker may take to end by itself after its run has. */
const farewellMs = 10_000;
/** A worker that ended well says that its run is about to be over: for so long the run gets no other one here. */
const doneMs = 10_000;

export interface AgentNeeds {
  readonly clock: Clock;
  readonly ledger: RunLedger;
  readonly queue: WorkQueue;
  readonly logs: LogStream;
  /** The last thing that was told of a run. */
  newestEvent(run: string): Promise<PublicEvent | undefined>;
  /** Whether a run was begun. */
  hasJournal(run: string): Promise<boolean>;
  readonly log: { info(text: string): void; warn(text: string): void };
}

export interface AgentOptions extends CommandOptions {
  /** Tells agents apart. */
  readonly name: string;
  /** Of this folder: an agent that is started again has it, too. */
  readonly instance: string;
  readonly host: string;
  readonly slots: readonly SlotOffer[];
}

interface Slot {
  readonly offer: SlotOffer;
  program?: Program | undefined;
  restUntilMs: number;
  failures: number;
  overSinceMs?: number | undefined;
}

/**
 * What one host does for the runs of a NATS server: it offers slots, takes charge of runs, and starts their programs, which
 * go on when the agent or NATS does not. Nothing is remembered here that is not in NATS or in the folder of the programs.
 */
export class Agent {
  private readonly slots: Slot[];
  private readonly name: AgentName;
  private readonly coordinators: Coordinators;
  private readonly commands: Commands;
  private readonly housekeeping: Housekeeping;
  private readonly tails = new Map<Program, LogTail>();
  /** When a worker of a run last ended well. */
  private readonly doneAtMs = new Map<string, number>();
  private isStopped = false;
  private wake: () => void = () => undefined;
  /** Whether NATS is away; unknown before the first answer. */
  private isLost: boolean | undefined;
  /** Before this no place is claimed that was not ours: those that ran out while NATS was away are claimed again first. */
  private claimFromMs = 0;

  constructor(
    private readonly needs: AgentNeeds,
    private readonly options: AgentOptions,
  ) {
    this.slots = options.slots.map((offer) => ({ offer, restUntilMs: 0, failures: 0 }));
    this.name = new AgentName(needs.ledger.nodes, options.name);
    this.commands = new Commands(needs.ledger, options);
    this.housekeeping = new Housekeeping(needs, options.folder);
    this.coordinators = new Coordinators(
      { ...needs, commands: this.commands, watch: (program) => this.watch(program) },
      options,
    );
  }

  /**
   * @returns when it was stopped; the programs go on
   * @throws LockstepError `AGENT_NAME_TAKEN`
   */
  async run(): Promise<void> {
    for (const program of Program.find(this.options.folder)) this.adopt(program);
    const taking = this.takeCharge();
    try {
      while (!this.isStopped) {
        await this.tick();
        await this.pause(tickMs);
      }
    } finally {
      this.stop();
      await taking;
    }
  }

  stop(): void {
    this.isStopped = true;
    this.wake();
  }

  private adopt(program: Program): void {
    const { kind, slot, run } = program.note;
    const mine = this.slots[slot];
    if (kind === 'worker' && !mine) return program.signal('SIGTERM'); // there are fewer slots now
    this.needs.log.info(`found ${program.who} of run ${run}, process ${program.note.pid}, and keeps it`);
    if (kind === 'worker') mine!.program = program;
    else this.coordinators.adopt(program);
    this.tails.set(program, new LogTail(program.log, 'end'));
  }

  private watch(program: Program): void {
    this.tails.set(program, new LogTail(program.log, 'end'));
  }

  private async takeCharge(): Promise<void> {
    while (!this.isStopped) {
      try {
        const charge: Charge | undefined = this.name.isOurs ? await this.needs.queue.next() : undefined;
        if (charge) this.coordinators.take(charge);
        else if (!this.name.isOurs) await this.pause(tickMs);
      } catch {
        await this.pause(tickMs); //                                  the ticks say that NATS is away
      }
    }
  }

  private async tick(): Promise<void> {
    try {
      const { ledger } = this.needs;
      await this.passLogs();
      if (!(await this.announce())) return;
      const runs = (await ledger.runs.list()).map(({ value }) => value);
      const byName = new Map(runs.map((run) => [run.name, run]));
      const places = [...(await ledger.places.list())];
      await this.tend(byName, places);
      await this.coordinators.tend(runs);
      await this.fill(runs, places);
      await this.housekeeping.tend(byName, this.busyRuns());
      if (this.isLost !== false) this.needs.log.info(this.isLost ? 'NATS answers again' : 'serves the queue');
      this.isLost = false;
    } catch (error) {
      if (lockstepErrorIn(error)?.code === 'AGENT_NAME_TAKEN') throw error;
      if (this.isLost !== true)
        this.needs.log.warn(`NATS does not answer (${(error as Error).message}): programs go on meanwhile`);
      this.isLost = true;
      this.claimFromMs = this.needs.clock.nowMs() + placeTtlMs;
    }
  }

  /** Looks after the workers that there are: those that ended, those whose run did, and the places of all others. */
  private async tend(runs: ReadonlyMap<string, RunRecord>, places: Entry<PlaceRecord>[]): Promise<void> {
    const { clock } = this.needs;
    for (const slot of this.slots) {
      const { program } = slot;
      if (!program) continue;
      const record = runs.get(program.note.run);
      const ending = program.ended();
      if (ending !== undefined) {
        await this.workerEnded(slot, program, ending, record);
        await this.giveUpPlace(program, places);
      } else if (!record || isOver(record)) {
        slot.overSinceMs ??= clock.nowMs();
        if (clock.nowMs() - slot.overSinceMs > farewellMs) program.signal('SIGTERM');
      } else await this.keepPlace(program, places);
    }
  }

  private async workerEnded(slot: Slot, program: Program, ending: Ending, record?: RunRecord): Promise<void> {
    const { clock, log } = this.needs;
    const { run } = program.note;
    if (ending !== 'unknown' && ending.code === 0) {
      slot.failures = slot.restUntilMs = 0;
      this.doneAtMs.set(run, clock.nowMs());
    } else {
      slot.failures += 1;
      slot.restUntilMs = clock.nowMs() + Math.min(restMsMax, restMs * 2 ** Math.min(slot.failures - 1, 10));
      if (record && !isOver(record)) {
        log.warn(`${program.who} of run ${run} ended: ${JSON.stringify(ending)}`);
        if (ending !== 'unknown' && ending.code !== null) await this.tellWhy(program);
      }
    }
    await this.drop(program);
    slot.program = slot.overSinceMs = undefined;
  }

  private async giveUpPlace({ note }: Program, places: Entry<PlaceRecord>[]): Promise<void> {
    const key = placeKey(note.run, note.place);
    const index = places.findIndex((each) => each.key === key && each.value.agent === this.options.name);
    if (index < 0) return;
    await this.needs.ledger.places.delete(key);
    places.splice(index, 1);
  }

  private async keepPlace(program: Program, places: readonly Entry<PlaceRecord>[]): Promise<void> {
    const { ledger } = this.needs;
    const { name: agent } = this.options;
    const key = placeKey(program.note.run, program.note.place);
    const holder = places.find((each) => each.key === key)?.value.agent;
    if (holder === undefined) await ledger.places.create(key, { agent });
    else if (holder === agent) await ledger.places.put(key, { agent });
    else program.signal('SIGTERM'); //                                 while we were away somebody else has filled the place
  }

  /** Whoever follows the run learns what a worker has to say against it: the slot rests, and tries again. */
  private async tellWhy({ note, who, log }: Program): Promise<void> {
    const why = `${who}, of agent ${this.options.name}, ended: ${lastWords(log)}`;
    await this.needs.ledger.change(note.run, (now) => (isOver(now) || now.why === why ? now : { ...now, why }));
  }

  private async fill(runs: readonly RunRecord[], places: Entry<PlaceRecord>[]): Promise<void> {
    const { ledger, clock, log } = this.needs;
    if (clock.nowMs() < this.claimFromMs) return;
    const wanting = runs.filter(({ name }) => clock.nowMs() - (this.doneAtMs.get(name) ?? -doneMs) >= doneMs);
    for (const [index, slot] of this.slots.entries()) {
      if (slot.program || clock.nowMs() < slot.restUntilMs) continue;
      const found = placeToTake(wanting, places);
      if (!found) return;
      const key = placeKey(found.run.name, found.index);
      const value = { agent: this.options.name };
      const revision = await ledger.places.create(key, value);
      places.push({ key, value, revision: revision ?? 0 });
      if (revision === undefined) continue; //                        the next tick looks again
      const note = { run: found.run.name, kind: 'worker', place: found.index, slot: index } as const;
      const args = await this.commands.worker(found.run, index, slot.offer.flags);
      if (!args) {
        await ledger.places.delete(key);
        return;
      }
      slot.program = Program.start(this.options.folder, note, args, slot.offer.environment);
      this.watch(slot.program);
      log.info(`started ${slot.program.who} of run ${note.run} on slot ${index}`);
    }
  }

  private async announce(): Promise<boolean> {
    const { host, instance } = this.options;
    const slots = this.slots.map(({ offer, program }) => ({ what: offer.what, run: program?.note.run }));
    return this.name.keep({ host, instance, slots });
  }

  private busyRuns(): ReadonlySet<string> {
    return new Set([...this.slots.flatMap(({ program }) => program?.note.run ?? []), ...this.coordinators.runs]);
  }

  private async passLogs(): Promise<void> {
    for (const program of this.tails.keys()) {
      await this.passLog(program);
      if (program.ended() !== undefined && !this.isHeld(program)) this.tails.delete(program);
    }
  }

  private async passLog(program: Program): Promise<void> {
    const tail = this.tails.get(program);
    for (let next = tail?.next(); next; next = tail?.next()) {
      await this.needs.logs.append(program.note.run, program.who, next.text);
      next.taken();
    }
  }

  private isHeld(program: Program): boolean {
    return this.slots.some((slot) => slot.program === program) || this.coordinators.holds(program);
  }

  private async drop(program: Program): Promise<void> {
    await this.passLog(program);
    this.tails.delete(program);
    program.forget();
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.needs.clock.setTimer(ms, resolve);
      this.wake = () => {
        cancel();
        resolve();
      };
      if (this.isStopped) this.wake();
    });
  }
}
