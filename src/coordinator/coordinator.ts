import { advanceCoordinator, restoredCoordinator } from '../cluster/coordinator-membership.js';
import type { CoordinatorAction, CoordinatorInput, CoordinatorMembership } from '../cluster/coordinator-state.js';
import { groupOf, includes } from '../cluster/generation-plan.js';
import type { Begin, Member, Progress, ToWorker } from '../cluster/messages.js';
import { errorOf } from '../cluster/session.js';
import type { Channel, FromCoordinator, FromWorker, Hello, Ready, Report } from '../cluster/session.js';
import { SilenceJudge } from '../cluster/silence.js';
import { lockstepErrorIn } from '../core/errors.js';
import type { RunReport } from '../core/events.js';
import { Lifetime } from '../core/lifetime.js';
import { nameOfWorker } from '../core/worker-id.js';
import type { CoordinatorDependencies, CoordinatorOptions } from './coordinator-options.js';
import { Failures } from './failures.js';
import { Farewell } from './farewell.js';
import { fault } from './faults.js';
import { FinalState } from './final-state.js';
import { membershipOptionsOf } from './membership-options.js';
import { MembershipStory } from './membership-story.js';
import { refuse } from './refusal.js';
import { reportContextOf } from './report-context.js';
import { Results, type ReportContext } from './results.js';
import { RunJournal } from './run-journal.js';
import { inOrder, RunRecord } from './run-record.js';
import type { DepartureCause } from './run-watch.js';
import { startedEvent } from './started-event.js';
import { WorkerSessions, type WorkerSession } from './worker-sessions.js';

const judgeMs = 500;
/** Silence after which a worker is lost: hosts that vanish, processes that are stopped. Closed connections are seen at once. */
const silenceMs = 2_000;
/** Within this a worker whose stream broke is back, if it lives: its attempts come several times a second. */
const returnMs = 3_000;

/**
 * A run, from the first Hello to the End. What is done about membership is decided by the pure functions of `cluster/`;
 * here their actions meet streams, disk and clock. No tensor passes through, but for the states that are stored.
 */
export class Coordinator {
  private membership: CoordinatorMembership;
  /** With which the term begins. */
  private readonly firstActions: readonly CoordinatorAction[];
  private readonly sessions: WorkerSessions;
  private readonly record: RunRecord;
  private readonly silence = new SilenceJudge(silenceMs, judgeMs);
  private readonly results: Results;
  private readonly story = new MembershipStory();
  private lastSaid: ToWorker | undefined;
  private startMs = 0;
  private hasStarted = false;
  private readonly failures = new Failures();
  private report: RunReport | undefined;
  private readonly finalState: FinalState;
  private readonly journal: RunJournal;
  private readonly farewell: Farewell;
  /** Names of workers whose processes have ended, as far as somebody says so. */
  private readonly endedNames: string[] = [];
  private readonly life: Lifetime;

  constructor(
    private readonly deps: CoordinatorDependencies,
    private readonly options: CoordinatorOptions,
  ) {
    this.life = new Lifetime(deps.clock);
    const { record, term = 0, restored } = options.earlier ?? {};
    const { state, actions } = restoredCoordinator(
      membershipOptionsOf(deps.spec, options, term + 1),
      restored?.newestBegin,
      restored?.isEnded ?? false,
    );
    this.membership = state;
    this.firstActions = actions;
    this.report = restored?.report;
    this.farewell = new Farewell(deps.clock);
    this.sessions = new WorkerSessions(deps.spec.runId, Math.max(options.maxWorkers, options.worldSize));
    this.record = record ?? new RunRecord();
    const secondsTotal = (): number => this.secondsTotal;
    this.results = new Results({ ...deps, ...restored, record: this.record, secondsTotal });
    this.journal = new RunJournal({ ...deps, secondsTotal, report: () => this.report });
    this.finalState = new FinalState((member, progress) =>
      this.results.storeFinal(member, progress, () => this.reportContext(progress)),
    );
  }

  /** @returns the report, when everything is stored and all workers were sent home @throws LockstepError */
  async run(): Promise<RunReport> {
    this.startMs = this.deps.clock.nowMs();
    this.expectMembers();
    for (const action of this.firstActions) this.perform(action);
    this.judgeSilence();
    try {
      await this.life.wait();
      await this.farewell.wait(groupOf(this.membership).map(({ workerId }) => workerId));
      this.sessions.sendHome('it is finished'); //                           members had their End; others came too late
      await this.journal.told();
      return this.report!;
    } catch (error) {
      if (['DEPOSED', 'JOURNAL_TAKEN', 'JOURNAL_FAILED'].includes(lockstepErrorIn(error)?.code ?? ''))
        this.sessions.leave(); // another one leads the run now, or may
      else this.sessions.sendHome(error instanceof Error ? error.message : String(error));
      throw error;
    } finally {
      await this.results.close();
    }
  }

  /** A worker has said Hello. */
  join(hello: Hello, channel: Channel<FromCoordinator, FromWorker>): void {
    const { spec } = this.deps;
    try {
      const isMember = includes(this.membership.begin?.members ?? [], hello.workerId);
      if (this.isClosing && !isMember) throw fault('RUN_ENDED', { reason: 'all steps are done' });
      const session = this.sessions.admit(hello, channel);
      channel.listen({
        message: (message) => this.life.guard(() => this.onMessage(session, message)),
        closed: (reason) => this.life.guard(() => this.onBroken(session, reason)),
      });
      this.heard(session);
      this.deps.watch.arrived(hello, isMember);
      const { recordedStep } = this.record;
      const hubPort = this.deps.hub?.port ?? 0;
      channel.send({ kind: 'welcome', runId: spec.runId, runSpec: JSON.stringify(spec), recordedStep, hubPort });
    } catch (error) {
      this.deps.log.warn(`refused worker ${hello.workerId}: ${(error as Error).message}`);
      refuse(channel, error);
    }
  }

  /** Ends the run at a step boundary, with everything saved. */
  stop(reason: string): void {
    this.deps.show({ type: 'stopping', reason });
    this.dispatch({ kind: 'stop' });
  }

  /** A worker's process ended, and whoever started it will not start another. */
  workerProcessEnded(worker: string, reason: string): void {
    const { begin, missing } = this.membership;
    this.endedNames.push(worker);
    for (const workerId of missing) if (this.hasProcessEnded(workerId)) this.lose(workerId, reason, false);
    if (begin) return;
    this.life.after(judgeMs, () => this.life.fail(this.failures.beforeStart(worker, reason)));
  }

  /** The hub gets no frames of a worker any more. */
  lostByHub(workerId: string, reason: string): void {
    const session = this.sessions.get(workerId);
    if (session) this.onClosed(session, `nothing comes from it at the hub (${reason})`);
  }

  /** Somebody else leads the run, or it cannot go on. */
  fail(error: Error): void {
    this.life.fail(error);
  }

  /** For /healthz. */
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
        if (this.failures.note(errorOf(message))) this.life.fail(errorOf(message));
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
      const { greeting } = ready;
      if (greeting && this.membership.begin) this.showBegun(this.membership.begin);
      this.showWaiting();
      this.dispatch(greeting ? { kind: 'greeted', progress: greeting } : { kind: 'joined', member });
    } catch (error) {
      this.deps.log.warn(`refused worker ${session.hello.workerId}: ${(error as Error).message}`);
      this.forget(session);
      refuse(session.channel, error);
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
    if (this.membership.begin) this.results.saveMissedBest(this.membership.begin, report.workerId);
    this.results.saveCheckpoint(this.membership.begin, report);
    this.dispatch({ kind: 'message', message: report });
  }

  /** A worker that lives opens another stream. One that does not come back is gone: silence alone would not say so. */
  private onBroken(session: WorkerSession, reason: string): void {
    const { workerId } = session.hello;
    if (!this.onClosed(session, reason)) return;
    this.life.after(returnMs, () => {
      if (this.membership.missing.includes(workerId)) this.lose(workerId, reason, false);
    });
  }

  /** @returns whether the session was still there */
  private onClosed(session: WorkerSession, reason: string, cause: DepartureCause = 'connection'): boolean {
    const { workerId } = session.hello;
    if (this.sessions.get(workerId) !== session) return false;
    this.forget(session);
    this.farewell.streamEnded(workerId);
    session.channel.close(); //                                      if it lives, it comes back, and learns whether it was dropped
    const why = session.farewell ?? reason;
    this.deps.watch.departed(workerId, session.farewell === undefined ? cause : 'failure', why);
    if (session.ready) this.lose(workerId, why, session.farewell === undefined);
    this.showWaiting();
    return true;
  }

  private hasProcessEnded(workerId: string): boolean {
    return this.endedNames.includes(nameOfWorker(workerId));
  }

  private lose(workerId: string, reason: string, mayReturn: boolean): void {
    this.story.left(workerId, reason);
    this.dispatch({ kind: 'lost', workerId, reason, mayReturn: mayReturn && !this.hasProcessEnded(workerId) });
  }

  private forget(session: WorkerSession): void {
    this.sessions.remove(session.hello.workerId);
    this.silence.forget(session.hello.workerId);
  }

  private dispatch(input: CoordinatorInput): void {
    const { state, actions } = advanceCoordinator(this.membership, input);
    const { phase: before } = this.membership;
    this.membership = state;
    for (const action of actions) this.perform(action);
    if (state.phase === before) return;
    if (state.phase === 'gathering') this.limitWaiting(this.options.worldSize);
    if (state.phase === 'waiting') this.limitWaiting(this.options.minWorkers);
  }

  private perform(action: CoordinatorAction): void {
    switch (action.kind) {
      case 'send':
        this.send(action.workerId, action.message);
        break;
      case 'append':
        this.journal.append(action.record).then(
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
        this.life.fail(this.failures.inDetail(action.error, this.story.lastToLeave, this.record.recordedStep));
        break;
      case 'log':
        this.deps.log.warn(action.text);
    }
  }

  private dismiss(workerId: string, why: 'left' | 'dropped'): void {
    const session = this.sessions.get(workerId);
    if (!session) return;
    this.forget(session);
    this.deps.watch.departed(workerId, why === 'left' ? 'leave' : 'silence', why);
    if (why === 'left') session.channel.send({ kind: 'dismissed' });
    else refuse(session.channel, fault('DROPPED', { workerId, reason: 'it was outside of the generation that runs' }));
  }

  private send(workerId: string, message: ToWorker): void {
    if (message !== this.lastSaid) this.onNewWord(message);
    if (message.kind === 'end' && this.sessions.get(workerId)) this.farewell.toldTo(workerId);
    const { recordedStep } = this.record;
    this.sessions.get(workerId)?.channel.send(message.kind === 'seal' ? { ...message, recordedStep } : message);
  }

  /** The same is said to many: what it means here happens once. */
  private onNewWord(message: ToWorker): void {
    if (message.kind === 'begin' && this.sessions.readyCount > 0) this.showBegun(message);
    if (message.kind === 'begin') this.deps.hub?.begin(message);
    if (message.kind === 'seal') this.deps.hub?.seal('it was sealed');
    this.lastSaid = message;
  }

  private async store(member: Member, progress: Progress): Promise<void> {
    const outcome = await this.finalState.storeFrom(member, progress);
    if (outcome.kind === 'stored') {
      this.report = outcome.report;
      this.dispatch({ kind: 'stored' });
    } else if (outcome.kind === 'unavailable') {
      const session = this.sessions.get(member.workerId); //         another member holds the same state, or it is back soon
      if (session) this.onClosed(session, outcome.reason, 'state');
    }
  }

  private reportContext(progress: Progress): ReportContext {
    const { deps, options, secondsTotal } = this;
    const engines = this.sessions.engines();
    return reportContextOf(progress, this.membership, { ...deps, options, secondsTotal, engines });
  }

  /** Of the whole run, without the time between two processes of it. */
  private get secondsTotal(): number {
    const earlierSeconds = this.options.earlier?.seconds ?? 0;
    return Math.round(earlierSeconds * 1000 + this.deps.clock.nowMs() - this.startMs) / 1000;
  }

  private showBegun(begin: Begin): void {
    const change = this.story.begun(begin, this.membership.speeds);
    if (change) this.deps.show(change);
    this.deps.watch.began(begin);
    if (this.hasStarted) return;
    this.hasStarted = true;
    this.deps.show(startedEvent(this.deps, begin, this.sessions.engines().engine, this.options.out));
  }

  /** No wait is without limit: fails unless `needed` workers come while the user is willing to wait. */
  private limitWaiting(needed: number): void {
    const seconds = this.options.joinTimeoutSeconds;
    const { phase, lastNumber } = this.membership;
    this.showWaiting();
    this.life.after(seconds * 1000, () => {
      const { phase: now, lastNumber: number } = this.membership;
      if (now !== phase || number !== lastNumber) return; //           it went on, or waits for something else
      const missing = fault('WORKERS_MISSING', { joined: this.joinedCount, needed, seconds });
      return phase === 'waiting' ? this.stop(missing.message) : this.life.fail(missing); // who is left holds the state
    });
  }

  /** Those that are here and do not want to leave. */
  private get joinedCount(): number {
    return this.sessions.readyCount - this.membership.leaving.length;
  }

  private showWaiting(): void {
    const needed = this.hasStarted ? this.options.minWorkers : this.options.worldSize;
    if (!this.hasStarted || this.membership.phase === 'waiting')
      this.deps.show({ type: 'waiting', joined: this.joinedCount, worldSize: needed });
  }

  /** A worker that still prepares itself may be busy for long; its stream tells if it is gone. */
  private heard(session: WorkerSession): void {
    if (session.ready) this.silence.heard(session.hello.workerId, this.deps.clock.nowMs());
  }

  /** Members of the generation that runs come to a new coordinator by themselves, or are silent. */
  private expectMembers(): void {
    const { begin } = this.membership;
    if (!begin) return;
    this.story.begun(begin);
    this.deps.show({ type: 'restored', step: this.record.recordedStep, term: this.membership.options.term });
    if (this.options.earlier?.restored?.isEnded) return;
    for (const { workerId } of begin.members) this.silence.heard(workerId, this.deps.clock.nowMs());
  }

  private judgeSilence(): void {
    for (const { workerId, silentMs } of this.silence.judge(this.deps.clock.nowMs())) {
      const reason = `it was silent for ${(silentMs / 1000).toFixed(1)} s`;
      const session = this.sessions.get(workerId);
      if (session) this.onClosed(session, reason, 'silence');
      else this.lose(workerId, `it did not come back to its restarted coordinator: ${reason}`, true);
    }
    this.dispatch({ kind: 'tick' });
    this.life.after(judgeMs, () => this.judgeSilence());
  }
}
