import {
  advanceCoordinator,
  newCoordinator,
  type CoordinatorAction,
  type CoordinatorInput,
  type CoordinatorMembership,
} from '../cluster/coordinator-membership.js';
import type { Begin, Member, Progress, ToWorker } from '../cluster/messages.js';
import {
  errorOf,
  type Channel,
  type FromCoordinator,
  type FromWorker,
  type Hello,
  type Ready,
  type Report,
} from '../cluster/session.js';
import { SilenceJudge } from '../cluster/silence.js';
import type { Clock } from '../core/clock.js';
import { lockstepErrorIn, type LockstepError } from '../core/errors.js';
import type { EvaluationRecord, RunEvent, RunReport, StepRecord } from '../core/events.js';
import type { ParameterLayout } from '../core/layout.js';
import { Lifetime } from '../core/lifetime.js';
import type { RunSpec } from '../core/run-spec.js';
import type { ExchangeClients } from '../transport/grpc/exchange-client.js';
import { fault } from './faults.js';
import { MembershipStory } from './membership-story.js';
import { Results, type ReportContext, type RunStore } from './results.js';
import type { Earlier } from './resumption.js';
import { RunRecord } from './run-record.js';
import type { DepartureCause, RunWatch } from './run-watch.js';
import { startedEvent } from './started-event.js';
import { WorkerSessions, type WorkerSession } from './worker-sessions.js';

const judgeMs = 500;
/** Silence after which a worker is lost: hosts that vanish, processes that are stopped. Closed connections are seen at once. */
const silenceMs = 2_000;

export interface CoordinatorDependencies {
  readonly spec: RunSpec;
  readonly layout: ParameterLayout;
  readonly store: RunStore;
  /** Connections to workers, for their states. */
  readonly peers: ExchangeClients;
  readonly clock: Clock;
  /** Shows an event to whoever looks on. */
  readonly show: (event: RunEvent) => void;
  readonly watch: RunWatch;
  readonly log: { info(text: string): void; warn(text: string): void };
}

export interface CoordinatorOptions {
  /** Workers that must have joined before the first step. */
  readonly worldSize: number;
  /** With fewer the run waits. */
  readonly minWorkers: number;
  /** Workers may join until there are so many. */
  readonly maxWorkers: number;
  readonly joinTimeoutSeconds: number;
  /** Folder of the run, for events. */
  readonly out: string;
  /** What a resumed run did before. */
  readonly earlier?: Earlier | undefined;
  /** The command that continues the run, should it be interrupted. */
  readonly resumeWith: string;
}

/**
 * A run, from the first Hello to the End. What is done about membership is decided by the pure functions of `cluster/`;
 * here their actions meet streams, disk and clock. No tensor passes through, but for the states that are stored.
 */
export class Coordinator {
  private membership: CoordinatorMembership;
  private readonly sessions: WorkerSessions;
  private readonly record: RunRecord;
  private readonly silence = new SilenceJudge(silenceMs, judgeMs);
  private readonly results: Results;
  private readonly story = new MembershipStory();
  private startMs = 0;
  private hasStarted = false;
  /** Why the last worker that gave up before it was ready did so, if it said. */
  private lastFarewell: string | undefined;
  private report: RunReport | undefined;
  private readonly life: Lifetime;

  constructor(
    private readonly deps: CoordinatorDependencies,
    private readonly options: CoordinatorOptions,
  ) {
    this.life = new Lifetime(deps.clock);
    const { worldSize, minWorkers } = options;
    const maxWorkers = Math.max(options.maxWorkers, worldSize);
    const { runId, lastStep } = deps.spec;
    this.membership = newCoordinator({
      term: (options.earlier?.term ?? 0) + 1,
      worldSize,
      minWorkers: Math.min(minWorkers, worldSize),
      maxWorkers,
      lastStep,
    });
    this.sessions = new WorkerSessions(runId, maxWorkers);
    this.record = options.earlier?.record ?? new RunRecord();
    this.results = new Results({ ...deps, record: this.record, secondsTotal: () => this.secondsTotal });
  }

  /** @returns the report, when everything is stored and all workers were sent home @throws LockstepError */
  async run(): Promise<RunReport> {
    this.startMs = this.deps.clock.nowMs();
    this.judgeSilence();
    this.limitWaiting(this.options.worldSize);
    try {
      await this.life.wait();
      this.sendAllHome('it is finished'); //                           members had their End; others came too late
      return this.report!;
    } catch (error) {
      this.sendAllHome(error instanceof Error ? error.message : String(error));
      throw error;
    } finally {
      await this.results.close();
    }
  }

  /** A worker has said Hello. */
  join(hello: Hello, channel: Channel<FromCoordinator, FromWorker>): void {
    const { spec } = this.deps;
    try {
      if (this.isClosing) throw fault('RUN_ENDED', { reason: 'all steps are done' });
      const session = this.sessions.admit(hello, channel);
      channel.listen({
        message: (message) => this.life.guard(() => this.onMessage(session, message)),
        closed: (reason) => this.life.guard(() => this.onClosed(session, reason)),
      });
      this.heard(session);
      this.deps.watch.arrived(hello);
      channel.send({ kind: 'welcome', runId: spec.runId, runSpec: JSON.stringify(spec) });
    } catch (error) {
      this.deps.log.warn(`refused worker ${hello.workerId}: ${(error as Error).message}`);
      this.refuse(channel, error);
    }
  }

  /** Ends the run at a step boundary, with everything saved. */
  stop(reason: string): void {
    this.deps.show({ type: 'stopping', reason });
    this.dispatch({ kind: 'stop' });
  }

  /** A worker's process ended before the run began, and whoever started it will not start another. */
  workerProcessEnded(worker: string, reason: string): void {
    if (!this.hasStarted)
      this.life.after(judgeMs, () =>
        this.life.fail(fault('WORKER_FAILED', { worker, reason: this.lastFarewell ?? reason })),
      );
  }

  /** In words, for /healthz. */
  get phase(): string {
    return this.membership.phase;
  }

  /** Whether nobody can take part any more. */
  private get isClosing(): boolean {
    return ['storing', 'ending', 'ended', 'failed'].includes(this.membership.phase);
  }

  private onMessage(session: WorkerSession, message: FromWorker): void {
    this.heard(session);
    switch (message.kind) {
      case 'ready':
        return this.onReady(session, message);
      case 'sealed':
        return this.dispatch({ kind: 'message', message });
      case 'progress':
        return this.onReport(message);
      case 'failed':
        session.farewell = message.message;
        this.deps.log.warn(`worker ${session.hello.workerId} gives up: ${message.message}`);
        if (message.code === 'NOT_FINITE') this.life.fail(errorOf(message)); // all others find the same
        return;
      case 'leaving':
        this.story.left(session.hello.workerId, 'it asked to leave');
        return this.dispatch({ kind: 'leaving', workerId: session.hello.workerId });
      case 'heartbeat':
        return this.deps.watch.heartbeat(session.hello.workerId, message, this.deps.clock.nowMs());
      case 'hello':
    }
  }

  private onReady(session: WorkerSession, ready: Ready): void {
    try {
      const member = this.sessions.makeReady(session, ready);
      this.deps.log.info(`worker ${member.workerId} joined from ${session.hello.host}, reachable at ${member.address}`);
      this.showWaiting();
      this.dispatch({ kind: 'joined', member });
    } catch (error) {
      this.deps.log.warn(`refused worker ${session.hello.workerId}: ${(error as Error).message}`);
      this.forget(session);
      this.refuse(session.channel, error);
    }
  }

  private onReport(report: Report): void {
    const { show, store } = this.deps;
    for (const record of inOrder(report)) {
      const isEvaluation = 'testLoss' in record;
      const event = isEvaluation ? this.record.evaluation(record) : this.record.step(record);
      if (!event) continue;
      show(event);
      store.appendMetrics(record);
      if (isEvaluation && record.best && this.membership.begin)
        this.results.saveBest(this.membership.begin, record.step);
    }
    this.results.saveCheckpoint(this.membership.begin, report);
    this.dispatch({ kind: 'message', message: report });
  }

  private onClosed(session: WorkerSession, reason: string, cause: DepartureCause = 'connection'): void {
    const { workerId } = session.hello;
    const isKnown = this.sessions.get(workerId) === session;
    if (!isKnown) return;
    this.forget(session);
    const why = session.farewell ?? reason;
    this.story.left(workerId, why);
    this.deps.watch.departed(workerId, session.farewell === undefined ? cause : 'failure', why);
    this.refuse(session.channel, fault('DROPPED', { workerId, reason: why })); //         if it lives, it learns it, and joins again
    if (session.ready) this.dispatch({ kind: 'lost', workerId, reason: why });
    else this.lastFarewell = session.farewell;
    this.showWaiting();
  }

  private forget(session: WorkerSession): void {
    this.sessions.remove(session.hello.workerId);
    this.silence.forget(session.hello.workerId);
  }

  private dispatch(input: CoordinatorInput): void {
    const { state, actions } = advanceCoordinator(this.membership, input);
    const isWaiting = state.phase === 'waiting' && this.membership.phase !== 'waiting';
    this.membership = state;
    for (const action of actions) this.perform(action);
    if (isWaiting) this.limitWaiting(this.options.minWorkers);
  }

  private perform(action: CoordinatorAction): void {
    switch (action.kind) {
      case 'send':
        this.send(action.workerId, action.message);
        break;
      case 'append':
        this.deps.store.appendJournal(action.record).then(
          () => this.life.guard(() => this.dispatch({ kind: 'appended' })),
          (error: unknown) =>
            this.life.guard(() => this.dispatch({ kind: 'append-failed', reason: (error as Error).message })),
        );
        break;
      case 'store':
        void this.life.guardAsync(this.store(action.member, action.progress));
        break;
      case 'dismissed':
        this.dismiss(action.workerId, action.why);
        break;
      case 'finish':
        this.life.finish();
        break;
      case 'fail':
        this.life.fail(this.inDetail(action.error));
        break;
      case 'log':
        this.deps.log.warn(action.text);
    }
  }

  /** Of nobody left, the protocol does not know whose loss was the last one. */
  private inDetail(error: LockstepError): LockstepError {
    const last = this.story.lastToLeave;
    if (error.code !== 'NO_STATE_LEFT' || !last) return error;
    return fault('LAST_WORKER_LOST', { ...last, step: this.record.recordedStep }, error);
  }

  private dismiss(workerId: string, why: 'left' | 'dropped'): void {
    const session = this.sessions.get(workerId);
    if (!session) return;
    this.forget(session);
    this.deps.watch.departed(workerId, why === 'left' ? 'leave' : 'silence', why);
    if (why === 'left') session.channel.send({ kind: 'dismissed' });
    else
      this.refuse(
        session.channel,
        fault('DROPPED', { workerId, reason: 'it was outside of the generation that runs' }),
      );
  }

  private send(workerId: string, message: ToWorker): void {
    if (message.kind === 'begin') this.showBegun(message);
    const { recordedStep } = this.record;
    this.sessions.get(workerId)?.channel.send(message.kind === 'seal' ? { ...message, recordedStep } : message);
  }

  private async store(member: Member, progress: Progress): Promise<void> {
    try {
      this.report = await this.results.storeFinal(member, progress, () => this.reportContext(progress));
      this.dispatch({ kind: 'stored' });
    } catch (error) {
      const session = this.sessions.get(member.workerId);
      if (lockstepErrorIn(error)?.code !== 'STATE_UNAVAILABLE') throw error;
      if (session) this.onClosed(session, (error as Error).message, 'state'); // another member holds the same state
    }
  }

  private reportContext(progress: Progress): ReportContext {
    const { spec, layout } = this.deps;
    const isInterrupted = this.membership.stopRequested && progress.finishedStep < spec.lastStep;
    const outcome = progress.ended!.targetReached ? 'target-reached' : isInterrupted ? 'interrupted' : 'finished';
    return {
      outcome,
      ...(outcome === 'interrupted' ? { resumeWith: this.options.resumeWith } : {}),
      secondsTotal: this.secondsTotal,
      worldSize: this.membership.begin!.members.length,
      parameterCount: layout.parameterCount,
      ...this.sessions.engines(),
      out: this.options.out,
    };
  }

  /** Of the whole run, without the time between two processes of it. */
  private get secondsTotal(): number {
    const earlierSeconds = this.options.earlier?.seconds ?? 0;
    return Math.round(earlierSeconds * 1000 + this.deps.clock.nowMs() - this.startMs) / 1000;
  }

  private showBegun(begin: Begin): void {
    const change = this.story.begun(begin);
    if (change) this.deps.show(change);
    this.deps.watch.began(begin);
    if (this.hasStarted) return;
    this.hasStarted = true;
    const { spec, layout, show } = this.deps;
    show(startedEvent(spec, layout, begin, this.sessions.engines().engine, this.options.out));
  }

  /** No wait is without limit: fails unless `needed` workers come while the user is willing to wait. */
  private limitWaiting(needed: number): void {
    const seconds = this.options.joinTimeoutSeconds;
    const { phase, lastNumber } = this.membership;
    this.showWaiting();
    this.life.after(seconds * 1000, () => {
      const { phase: now, lastNumber: number } = this.membership;
      if (now !== phase || number !== lastNumber) return; //           it went on, or waits for something else
      this.life.fail(fault('WORKERS_MISSING', { joined: this.sessions.readyCount, needed, seconds }));
    });
  }

  private showWaiting(): void {
    const { worldSize, minWorkers } = this.options;
    const isWaiting = !this.hasStarted || this.membership.phase === 'waiting';
    const needed = this.hasStarted ? minWorkers : worldSize;
    if (isWaiting) this.deps.show({ type: 'waiting', joined: this.sessions.readyCount, worldSize: needed });
  }

  /** A worker that still prepares itself may be busy for long; its stream tells if it is gone. */
  private heard(session: WorkerSession): void {
    if (session.ready) this.silence.heard(session.hello.workerId, this.deps.clock.nowMs());
  }

  private judgeSilence(): void {
    for (const { workerId, silentMs } of this.silence.judge(this.deps.clock.nowMs())) {
      const session = this.sessions.get(workerId);
      if (session) this.onClosed(session, `it was silent for ${(silentMs / 1000).toFixed(1)} s`, 'silence');
    }
    this.dispatch({ kind: 'tick' });
    this.life.after(judgeMs, () => this.judgeSilence());
  }

  private refuse(channel: Channel<FromCoordinator, FromWorker>, error: unknown): void {
    const known = lockstepErrorIn(error);
    if (!known) throw error;
    channel.send(refusal(known));
    channel.close();
  }

  private sendAllHome(reason: string): void {
    for (const { channel } of this.sessions.all()) {
      channel.send(refusal(fault('RUN_ENDED', { reason })));
      channel.close();
    }
  }
}

/** Each evaluation right after the step that it evaluates. */
function inOrder({ steps, evaluations }: Report): readonly (StepRecord | EvaluationRecord)[] {
  return [...steps, ...evaluations].sort((a, b) => a.step - b.step); // stable: the step is before its evaluation
}

function refusal({ code, message, remedy, exitCode }: LockstepError): FromCoordinator {
  return { kind: 'refused', code, message, remedy, exitCode };
}
