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
import { Pipe } from './network.js';
import { firstBatch } from './training.js';
import type { FromSimWorker, SimWorker, ToSimWorker } from './sim-worker.js';
import type { World } from './world.js';

const judgeMs = 500;
const silenceMs = 2_000;

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
  isUp = false;
  /** Added to simulated time: a clock that jumps ahead, as after a suspended machine. */
  clockAheadMs = 0;
  diskSlowUntilMs = 0;
  private incarnation = 0;
  private sessions = new Map<string, Stream>();
  private silence = new SilenceJudge(silenceMs, judgeMs);
  /** On its way to the disk. */
  private appending: JournalRecord | undefined;

  constructor(private readonly world: World) {
    this.core = newCoordinator({ ...world.scenario, term: 1 });
  }

  /** From the journal, empty at first (rule 12). */
  start(): void {
    const { journal } = this.world.invariants;
    this.isUp = true;
    this.incarnation += 1;
    this.sessions = new Map();
    this.silence = new SilenceJudge(silenceMs, judgeMs);
    this.every(judgeMs, () => this.judge());
    // Often enough to give copies of answers that were only slow.
    this.every(this.world.chance.between(20, 1_000), () => this.dispatch({ kind: 'tick' }));
    const terms = journal.map((r) => (r.kind === 'term' ? r.term : r.generation.term));
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

  /** kill -9. A record on its way to the disk may or may not be there afterwards. */
  crash(): void {
    this.isUp = false;
    this.incarnation += 1;
    if (this.appending && this.world.chance.one(0.5)) this.world.invariants.journal.push(this.appending);
    this.appending = undefined;
    for (const stream of this.sessions.values()) stream.break(0.5);
  }

  accept(worker: SimWorker): Stream {
    const { network, queue, chance } = this.world;
    const { workerId } = worker.core;
    const { incarnation } = this;
    const slowestMs = chance.one(0.3) ? 300 : 20;
    const delayMs = (): number => chance.between(0, slowestMs);
    const up = new Pipe<FromSimWorker>(network, worker.place, 'coordinator', delayMs, (message, late) => {
      if (this.incarnation === incarnation) this.onMessage(workerId, message, late);
    });
    const down = new Pipe<ToSimWorker>(network, 'coordinator', worker.place, delayMs, (message, late) =>
      worker.onMessage(workerId, message, late),
    );
    const stream: Stream = {
      up,
      down,
      break: (lateness) => {
        up.break(lateness);
        down.break(lateness);
        if (this.sessions.get(workerId) === stream) this.sessions.delete(workerId);
        queue.at(network.passesAtMs('coordinator', worker.place) + delayMs(), () => worker.onStreamClosed(stream));
      },
    };
    this.sessions.get(workerId)?.break(0);
    this.sessions.set(workerId, stream);
    return stream;
  }

  /** The host of a worker says that its process is gone. */
  processGone(workerId: string): void {
    if (this.isUp) this.lose(workerId, 'killed');
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
    if (!this.isUp) return;
    const { phase: before, rebalances } = this.core;
    this.world.note(`coordinator ${before}`, input);
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
        if (action.record.kind === 'begin') invariants.planned(action.record, (id) => this.world.workerOf(id));
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
        if (action.error.code === 'NO_STATE_LEFT' && !this.core.stopRequested)
          invariants.gaveUp((id) => this.world.workerOf(id));
        this.world.failure = action.error.code;
        return;
      case 'finish':
      case 'log':
    }
  }

  private append(record: JournalRecord): void {
    assert.equal(this.appending, undefined, 'a record before the last one is in the journal');
    this.appending = record;
    const { queue, chance } = this.world;
    this.afterMs(Math.max(chance.between(1, 20), this.diskSlowUntilMs - queue.nowMs), () => {
      this.world.invariants.journal.push(record);
      this.appending = undefined;
      this.dispatch({ kind: 'appended' });
    });
  }

  /** Asks one worker for the final state, until it is there or the worker is lost. */
  private store(member: Member, step: number): void {
    this.afterMs(this.world.chance.between(10, 80), () => {
      const isWanted = this.core.phase === 'storing' && !this.core.departed.includes(member.workerId);
      if (!isWanted) return;
      const { invariants } = this.world;
      const digest = this.world.workerOf(member.workerId)?.stateFor('coordinator', step)?.digest;
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

  /** For this incarnation only. */
  private afterMs(delayMs: number, run: () => void): void {
    const { incarnation } = this;
    this.world.queue.after(delayMs, () => {
      if (this.incarnation === incarnation) run();
    });
  }
}
