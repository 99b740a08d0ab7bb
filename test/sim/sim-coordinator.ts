import assert from 'node:assert/strict';
import {
  newCoordinator,
  type CoordinatorAction,
  type CoordinatorInput,
  type CoordinatorMembership,
} from '../../src/cluster/coordinator-membership.js';
import type { JournalRecord, Member } from '../../src/cluster/messages.js';
import { SilenceJudge } from '../../src/cluster/silence.js';
import { planRanges } from '../../src/collective/plan-ranges.js';
import { termOf } from './invariants.js';
import { Pipe } from './network.js';
import { nats } from './sim-journal.js';
import { firstBatch } from './training.js';
import type { FromSimWorker, SimWorker, ToSimWorker } from './sim-worker.js';
import type { World } from './world.js';

const judgeMs = 500;
const silenceMs = 2_000;
/** How often the lease is renewed, and how often a standby looks whether it is free. */
const renewMs = 700;
const lookMs = 250;

/** Both directions between a worker and the coordinator. */
export interface Stream {
  readonly up: Pipe<FromSimWorker>;
  readonly down: Pipe<ToSimWorker>;
  /** @param lateness - probability that a direction still delivers, later, what was under way */
  break(lateness: number): void;
}

/** A coordinator program around the real membership code, with a journal that outlives it. */
export class SimCoordinator {
  core: CoordinatorMembership;
  /** The process runs. */
  isUp = false;
  /** It has said in the journal that it leads, or is about to: workers may come. */
  isLeading = false;
  /** Added to simulated time: a clock that jumps ahead, as after a suspended machine. */
  clockAheadMs = 0;
  diskSlowUntilMs = 0;
  nextAppendFails = false;
  private incarnation = 0;
  private sessions = new Map<string, Stream>();
  private silence = new SilenceJudge(silenceMs, judgeMs);
  /** On its way into the journal. */
  private appending: JournalRecord | undefined;
  /** Length of the journal, as far as this process knows. */
  private knownLength = 0;

  /** @param place - its host */
  constructor(
    private readonly world: World,
    readonly place: string,
  ) {
    this.core = newCoordinator({ ...world.scenario, term: 1 });
  }

  /** A new process. */
  start(): void {
    this.isUp = true;
    this.incarnation += 1;
    this.appending = undefined;
    if (this.world.lease) this.look();
    else this.lead();
  }

  /** As it is called in the lease. */
  get holder(): string {
    return `${this.place}/${this.incarnation}`;
  }

  /** Waits for the lease, as both coordinators do at first. */
  private look(): void {
    const isThere = this.world.network.passesAtMs(this.place, nats) <= this.world.queue.nowMs;
    if (!isThere || !this.world.lease!.take(this.holder))
      return this.afterMs(lookMs + this.world.chance.below(20), () => this.look());
    this.every(renewMs, () => this.renew());
    this.afterMs(this.world.chance.between(1, 60), () => this.lead());
  }

  /** Somebody else may have it by now; nobody can be asked while NATS is out of reach. */
  private renew(): void {
    if (this.world.network.passesAtMs(this.place, nats) > this.world.queue.nowMs) return;
    if (!this.world.lease!.take(this.holder)) this.abdicate('lease');
  }

  /** From the journal, empty at first (rule 12). */
  private lead(): void {
    const { journal } = this.world.invariants;
    this.isLeading = true;
    this.knownLength = journal.length;
    this.sessions = new Map();
    this.silence = new SilenceJudge(silenceMs, judgeMs);
    this.every(judgeMs, () => this.judge());
    // Often enough to give copies of answers that were only slow.
    this.every(this.world.chance.between(20, 1_000), () => this.dispatch({ kind: 'tick' }));
    const terms = journal.map(termOf);
    const { batch } = this.world.scenario;
    const options = {
      ...this.world.scenario,
      term: 1 + Math.max(0, ...terms),
      planShares: (seconds: readonly (number | undefined)[]) =>
        planRanges(seconds, batch ? Math.min(batch.perWorker * seconds.length, batch.max) : firstBatch),
    };
    const newest = this.world.invariants.begins().at(-1);
    for (const { workerId } of newest?.members ?? []) this.heard(workerId);
    const { state, actions } = this.world.rules.restoredCoordinator(options, newest, this.world.invariants.isEnded());
    this.core = state;
    for (const action of actions) this.perform(action);
  }

  /** kill -9. A record on its way to the disk may or may not be there afterwards; one on its way to NATS still arrives. */
  crash(): void {
    const { appending, knownLength } = this;
    this.isUp = false;
    this.isLeading = false;
    this.incarnation += 1;
    if (appending && !this.world.lease && this.world.chance.one(0.5)) this.world.journal.append(appending, knownLength);
    this.appending = undefined;
    for (const stream of this.sessions.values()) stream.break(0.5);
  }

  /** Somebody else leads, or may; or the journal takes nothing. Whoever watches over the process starts it again. */
  private abdicate(why: string): void {
    this.world.count(`gave up: ${why}`);
    this.crash();
    this.world.queue.after(this.world.chance.between(20, 800), () => {
      if (!this.isUp) this.start();
    });
  }

  accept(worker: SimWorker): Stream {
    const { network, queue, chance } = this.world;
    const { workerId } = worker.core;
    const { incarnation } = this;
    const slowestMs = chance.one(0.3) ? 300 : 20;
    const delayMs = (): number => chance.between(0, slowestMs);
    const up = new Pipe<FromSimWorker>(network, worker.place, this.place, delayMs, (message, late) => {
      if (this.incarnation === incarnation) this.onMessage(workerId, message, late);
    });
    const down = new Pipe<ToSimWorker>(network, this.place, worker.place, delayMs, (message, late) =>
      worker.onMessage(workerId, message, late),
    );
    const stream: Stream = {
      up,
      down,
      break: (lateness) => {
        up.break(lateness);
        down.break(lateness);
        if (this.sessions.get(workerId) === stream) this.sessions.delete(workerId);
        queue.at(network.passesAtMs(this.place, worker.place) + delayMs(), () => worker.onStreamClosed(stream));
      },
    };
    this.sessions.get(workerId)?.break(0);
    this.sessions.set(workerId, stream);
    return stream;
  }

  /** The host of a worker says that its process is gone. */
  processGone(workerId: string): void {
    if (this.isLeading) this.lose(workerId, 'killed');
  }

  stop(): void {
    this.dispatch({ kind: 'stop' });
  }

  private onMessage(workerId: string, message: FromSimWorker, late: boolean): void {
    this.heard(workerId);
    switch (message.kind) {
      case 'sealed':
      case 'progress':
        return this.dispatch({ kind: 'message', message });
      case 'joined':
      case 'greeted':
        return late ? undefined : this.dispatch(message);
      case 'leaving':
        return late ? undefined : this.dispatch({ kind: 'leaving', workerId });
      case 'heartbeat':
    }
  }

  private heard(workerId: string): void {
    this.silence.heard(workerId, this.nowMs());
  }

  private nowMs(): number {
    return this.world.queue.nowMs + this.clockAheadMs;
  }

  private judge(): void {
    for (const { workerId } of this.silence.judge(this.nowMs())) this.lose(workerId, 'silent');
  }

  private lose(workerId: string, reason: string): void {
    this.silence.forget(workerId);
    this.sessions.get(workerId)?.break(0.5);
    this.dispatch({ kind: 'lost', workerId, reason, mayReturn: reason === 'silent' });
  }

  private dispatch(input: CoordinatorInput): void {
    if (!this.isLeading) return;
    const { phase: before, rebalances } = this.core;
    this.world.note(`${this.place} ${before}`, input);
    const { state, actions } = this.world.rules.advanceCoordinator(this.core, input);
    this.core = state;
    if (state.phase !== before) this.world.count(state.phase);
    if (state.rebalances > rebalances) this.world.count('ranges moved');
    for (const action of actions) this.perform(action);
  }

  private perform(action: CoordinatorAction): void {
    const { invariants } = this.world;
    switch (action.kind) {
      case 'send':
        if (action.message.kind === 'begin') invariants.announced(action.message);
        if (action.message.kind === 'end') invariants.endAnnounced();
        this.sessions.get(action.workerId)?.down.send(action.message);
        return;
      case 'append':
        return this.append(action.record);
      case 'store':
        return this.store(action.member, action.step);
      case 'dismissed':
        invariants.dismissed(
          action.workerId,
          this.core.pending,
          action.why === 'left' && this.core.phase === 'waiting',
        );
        this.world.count(action.why);
        this.silence.forget(action.workerId);
        this.sessions.get(action.workerId)?.down.send({ kind: 'dismissed', why: action.why });
        return;
      case 'fail':
        if (action.error.code === 'JOURNAL_FAILED' || (this.world.lease && this.isOutdated(action.error.code)))
          return this.abdicate(action.error.code);
        if (action.error.code === 'NO_STATE_LEFT' && !this.core.stopRequested)
          invariants.gaveUp((id) => this.world.workerOf(id));
        this.world.failure = action.error.code;
        return;
      case 'finish':
      case 'log':
    }
  }

  /** Whether somebody else has begun a term since: what this one believes of the run is of no interest. */
  private isOutdated(code: string): boolean {
    const terms = this.world.invariants.journal.map(termOf);
    return code === 'DEPOSED' || Math.max(0, ...terms) > this.core.options.term;
  }

  private append(record: JournalRecord): void {
    assert.equal(this.appending, undefined, 'a record before the last one is in the journal');
    this.appending = record;
    const { queue, chance, network, lease, journal } = this.world;
    const { knownLength } = this;
    const delayMs = Math.max(chance.between(1, 20), this.diskSlowUntilMs - queue.nowMs);
    const answer = (isThere: boolean): void => {
      this.appending = undefined;
      if (isThere) this.knownLength += 1;
      this.dispatch(isThere ? { kind: 'appended' } : { kind: 'append-failed', reason: 'the journal took nothing' });
    };
    const arrive = (): boolean => {
      const fails = this.nextAppendFails;
      this.nextAppendFails = false;
      if (fails) this.world.count('append failed');
      const isThere = (!fails || chance.one(0.5)) && journal.append(record, knownLength);
      return isThere && !fails;
    };
    if (!lease) return this.afterMs(delayMs, () => answer(arrive()));
    // A message to NATS is on its way whatever becomes of its sender, and arrives when it can.
    const send = (): void => {
      const atMs = network.passesAtMs(this.place, nats);
      if (atMs > queue.nowMs) return queue.at(atMs, send);
      const isThere = arrive();
      this.ifStill(incarnation, () => answer(isThere));
    };
    const { incarnation } = this;
    queue.after(delayMs, send);
  }

  /** Asks one worker for the final state, until it is there or the worker is lost. */
  private store(member: Member, step: number): void {
    this.afterMs(this.world.chance.between(10, 80), () => {
      const isWanted = this.core.phase === 'storing' && !this.core.departed.includes(member.workerId);
      if (!isWanted) return;
      const { invariants } = this.world;
      const digest = this.world.workerOf(member.workerId)?.stateFor(this.place, step)?.digest;
      if (digest === undefined) return this.store(member, step);
      assert.equal(digest, invariants.states[step], `the final state from ${member.workerId} is wrong`);
      invariants.isStored = true;
      this.dispatch({ kind: 'stored' });
    });
  }

  private every(periodMs: number, run: () => void): void {
    this.afterMs(periodMs, () => {
      run();
      this.every(periodMs, run);
    });
  }

  private afterMs(delayMs: number, run: () => void): void {
    const { incarnation } = this;
    this.world.queue.after(delayMs, () => this.ifStill(incarnation, run));
  }

  /** For this incarnation only, and not while it is stopped. */
  private ifStill(incarnation: number, run: () => void): void {
    const { network, queue } = this.world;
    if (this.incarnation !== incarnation) return;
    if (!network.isPaused(this.place)) return run();
    queue.at(network.passesAtMs(this.place, this.place), () => this.ifStill(incarnation, run));
  }
}
