import {
  advanceCoordinator,
  newCoordinator,
  type CoordinatorAction,
  type CoordinatorInput,
  type CoordinatorMembership,
} from '../cluster/coordinator-membership.js';
import type { Begin, End, Member, Progress } from '../cluster/messages.js';
import type { Channel, FromCoordinator, FromWorker, Hello, Ready, Report } from '../cluster/session.js';
import { SilenceJudge } from '../cluster/silence.js';
import type { Clock } from '../core/clock.js';
import { weightsDigest } from '../core/digest.js';
import { lockstepErrorIn, type LockstepError } from '../core/errors.js';
import type { EvaluationRecord, RunEvent, RunReport, StepRecord } from '../core/events.js';
import type { ParameterLayout } from '../core/layout.js';
import { Lifetime } from '../core/lifetime.js';
import type { RunSpec } from '../core/run-spec.js';
import { stepsPerEpoch } from '../data/batch-plan.js';
import type { ExchangeClients } from '../transport/grpc/exchange-client.js';
import type { StateSnapshot } from '../transport/grpc/exchange-server.js';
import { fault } from './faults.js';
import { RunRecord } from './run-record.js';
import { WorkerSessions, type WorkerSession } from './worker-sessions.js';

const judgeMs = 500;
/**
 * Silence after which a worker is lost. Closed connections are seen at once; this is for hosts that vanish. Losing a
 * worker still ends the run, so a busy machine gets more time than the protocol's 2 s.
 */
const silenceMs = 10_000;

/** Where a run's results go. */
export interface RunStore {
  /** Resolves when the record is on the disk. */
  appendJournal(record: Begin | End): Promise<void>;
  appendMetrics(record: StepRecord | EvaluationRecord): void;
  saveBest(step: number, weights: Float32Array): Promise<void>;
  saveFinal(step: number, weights: Float32Array): Promise<void>;
  /** The whole training state. */
  saveCheckpoint(step: number, snapshot: StateSnapshot): Promise<void>;
  saveReport(report: RunReport): Promise<void>;
}

export interface CoordinatorDependencies {
  readonly spec: RunSpec;
  readonly layout: ParameterLayout;
  readonly store: RunStore;
  /** Connections to workers, for their states. */
  readonly peers: ExchangeClients;
  readonly clock: Clock;
  /** Shows an event to whoever looks on. */
  readonly show: (event: RunEvent) => void;
  readonly log: { info(text: string): void; warn(text: string): void };
}

export interface CoordinatorOptions {
  readonly worldSize: number;
  readonly joinTimeoutSeconds: number;
  /** Folder of the run, for events. */
  readonly out: string;
}

/**
 * A run, from the first Hello to the End. What is done about membership is decided by the pure functions of `cluster/`;
 * here their actions meet streams, disk and clock. No tensor passes through, but for the states that are stored.
 */
export class Coordinator {
  private membership: CoordinatorMembership;
  private readonly sessions: WorkerSessions;
  private readonly record = new RunRecord();
  private readonly silence = new SilenceJudge(silenceMs, judgeMs);
  private savingBest: Promise<void> = Promise.resolve();
  private savedBestStep: number | undefined;
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
    const { worldSize } = options;
    this.membership = newCoordinator({ term: 1, worldSize, minWorkers: worldSize, lastStep: deps.spec.lastStep });
    this.sessions = new WorkerSessions(deps.spec.runId, worldSize);
  }

  /** @returns the report, when everything is stored and all workers were sent home @throws LockstepError */
  async run(): Promise<RunReport> {
    this.startMs = this.deps.clock.nowMs();
    const { joinTimeoutSeconds: seconds, worldSize } = this.options;
    this.showWaiting();
    this.judgeSilence();
    this.life.after(seconds * 1000, () => {
      if (!this.hasStarted)
        this.life.fail(fault('WORKERS_MISSING', { joined: this.sessions.readyCount, needed: worldSize, seconds }));
    });
    try {
      await this.life.wait();
      return this.report!;
    } catch (error) {
      this.sendAllHome(error);
      throw error;
    }
  }

  /** A worker has said Hello. */
  join(hello: Hello, channel: Channel<FromCoordinator, FromWorker>): void {
    const { spec } = this.deps;
    try {
      const session = this.sessions.admit(hello, channel);
      channel.listen({
        message: (message) => this.life.guard(() => this.onMessage(session, message)),
        closed: (reason) => this.life.guard(() => this.onClosed(session, reason)),
      });
      this.heard(session);
      channel.send({ kind: 'welcome', runId: spec.runId, runSpec: JSON.stringify(spec) });
    } catch (error) {
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
        return;
      case 'hello':
      case 'heartbeat':
    }
  }

  private onReady(session: WorkerSession, ready: Ready): void {
    try {
      const member = this.sessions.makeReady(session, ready);
      this.deps.log.info(`worker ${member.workerId} joined from ${session.hello.host}, reachable at ${member.address}`);
      this.showWaiting();
      this.dispatch({ kind: 'joined', member });
    } catch (error) {
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
      if (isEvaluation && record.best) this.saveBest(this.membership.begin?.members[0], record.step);
    }
    this.dispatch({ kind: 'message', message: report });
  }

  private onClosed(session: WorkerSession, reason: string): void {
    const { workerId } = session.hello;
    const isKnown = this.sessions.get(workerId) === session;
    if (!isKnown) return;
    this.forget(session);
    if (session.ready) this.dispatch({ kind: 'lost', workerId, reason: session.farewell ?? reason });
    else this.lastFarewell = session.farewell;
    this.showWaiting();
  }

  private forget(session: WorkerSession): void {
    this.sessions.remove(session.hello.workerId);
    this.silence.forget(session.hello.workerId);
  }

  private dispatch(input: CoordinatorInput): void {
    const { state, actions } = advanceCoordinator(this.membership, input);
    this.membership = state;
    for (const action of actions) this.perform(action);
  }

  private perform(action: CoordinatorAction): void {
    switch (action.kind) {
      case 'send':
        if (action.message.kind === 'begin') this.showStarted(action.message);
        this.sessions.get(action.workerId)?.channel.send(action.message);
        break;
      case 'append':
        this.deps.store.appendJournal(action.record).then(
          () => this.life.guard(() => this.dispatch({ kind: 'appended' })),
          (error: unknown) =>
            this.life.guard(() => this.dispatch({ kind: 'append-failed', reason: (error as Error).message })),
        );
        break;
      case 'store':
        this.storeFinal(action.member, action.progress).then(
          () => this.life.guard(() => this.dispatch({ kind: 'stored' })),
          (error: unknown) => this.life.fail(error),
        );
        break;
      case 'finish':
        this.life.finish();
        break;
      case 'fail':
        this.life.fail(action.error);
        break;
      case 'log':
        this.deps.log.warn(action.text);
    }
  }

  /**
   * Weights of the best evaluation, fetched while the run goes on; one after the other. Those that come may be of a
   * later evaluation that was better still, which we have not been told of yet.
   */
  private saveBest(member: Member | undefined, step: number): void {
    const { begin } = this.membership;
    if (!member || !begin) return;
    this.savingBest = this.savingBest.then(async () => {
      if ((this.savedBestStep ?? 0) >= step) return;
      try {
        const snapshot = await this.deps.peers.pullState(member.address, begin.generation, { what: 'best', step });
        const best = JSON.parse(snapshot.description) as { step: number };
        await this.deps.store.saveBest(best.step, weightsOf(snapshot));
        this.savedBestStep = best.step;
      } catch (error) {
        this.deps.log.warn(`the best weights so far, of step ${step}, were not saved: ${(error as Error).message}`);
      }
    });
  }

  private async storeFinal(member: Member, progress: Progress): Promise<void> {
    const { store, peers } = this.deps;
    const step = progress.finishedStep;
    const snapshot = await peers.pullState(member.address, progress.generation, { what: 'training', step });
    const weights = weightsOf(snapshot);
    const expected = progress.ended!.weightsDigest;
    const actual = weightsDigest(weights);
    if (actual !== expected) throw fault('STATE_DAMAGED', { worker: member.workerId, expected, actual });
    await this.savingBest;
    if (this.record.bestStep === step && this.savedBestStep !== step) await store.saveBest(step, weights);
    await store.saveCheckpoint(step, snapshot);
    await store.saveFinal(step, weights);
    this.report = this.reportOf(step, actual, progress.ended!.targetReached);
    await store.saveReport(this.report);
  }

  private reportOf(step: number, digest: string, targetReached: boolean): RunReport {
    const { spec, layout, clock } = this.deps;
    const isInterrupted = this.membership.stopRequested && step < spec.lastStep;
    return {
      formatVersion: 1,
      runId: spec.runId,
      outcome: targetReached ? 'target-reached' : isInterrupted ? 'interrupted' : 'finished',
      steps: step,
      ...this.record.summary(),
      secondsTotal: Math.round(clock.nowMs() - this.startMs) / 1000,
      worldSize: this.membership.begin!.members.length,
      globalBatchSize: spec.globalBatchSize,
      microBatchSize: spec.microBatchSize,
      model: spec.model.name,
      parameterCount: layout.parameterCount,
      optimizer: spec.optimizer.name,
      ...this.sessions.engines(),
      weightsDigest: digest,
      out: this.options.out,
    };
  }

  private showStarted(begin: Begin): void {
    if (this.hasStarted) return;
    this.hasStarted = true;
    const { spec, layout } = this.deps;
    const perEpoch = stepsPerEpoch(spec.dataset.trainLength, spec.globalBatchSize, spec.dropLast);
    this.deps.show({
      type: 'started',
      runId: spec.runId,
      out: this.options.out,
      model: spec.model.name,
      parameterCount: layout.parameterCount,
      engine: this.sessions.engines().engine,
      worldSize: begin.members.length,
      globalBatchSize: spec.globalBatchSize,
      microBatchSize: spec.microBatchSize,
      stepsTotal: spec.lastStep,
      stepsPerEpoch: perEpoch,
      epochsTotal: Math.ceil(spec.lastStep / perEpoch),
    });
  }

  private showWaiting(): void {
    const { worldSize } = this.options;
    if (!this.hasStarted) this.deps.show({ type: 'waiting', joined: this.sessions.readyCount, worldSize });
  }

  private heard(session: WorkerSession): void {
    this.silence.heard(session.hello.workerId, this.deps.clock.nowMs());
  }

  private judgeSilence(): void {
    for (const { workerId, silentMs } of this.silence.judge(this.deps.clock.nowMs())) {
      const session = this.sessions.get(workerId);
      if (session) this.onClosed(session, `it was silent for ${(silentMs / 1000).toFixed(1)} s`);
    }
    this.life.after(judgeMs, () => this.judgeSilence());
  }

  private refuse(channel: Channel<FromCoordinator, FromWorker>, error: unknown): void {
    const known = lockstepErrorIn(error);
    if (!known) throw error;
    this.deps.log.warn(`refused a worker: ${known.message}`);
    channel.send(refusal(known));
    channel.close();
  }

  private sendAllHome(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
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

function weightsOf(snapshot: StateSnapshot): Float32Array {
  return snapshot.vectors.find(({ name }) => name === 'weights')?.values ?? new Float32Array(0);
}
