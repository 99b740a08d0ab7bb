import type { Begin } from '../cluster/messages.js';
import { errorOf, type Channel, type FromCoordinator, type FromWorker } from '../cluster/session.js';
import { advanceWorker, joinedWorker, type WorkerAction, type WorkerInput } from '../cluster/worker-membership.js';
import type { HostPort } from '../core/address.js';
import type { Clock } from '../core/clock.js';
import { weightsDigest } from '../core/digest.js';
import { lockstepErrorIn } from '../core/errors.js';
import type { EvaluationRecord } from '../core/events.js';
import { Lifetime } from '../core/lifetime.js';
import type { RunSpec } from '../core/run-spec.js';
import { numericsVersion, protocolVersion } from '../core/versions.js';
import { ExchangeClients } from '../transport/grpc/exchange-client.js';
import { ExchangeServer } from '../transport/grpc/exchange-server.js';
import { fault as transportFault } from '../transport/faults.js';
import { GrpcLink } from '../transport/grpc/grpc-link.js';
import { fault } from './faults.js';
import type { PreparedRun } from './prepared-run.js';
import { Reporter } from './reporter.js';
import { adoptState, readState } from './state-transfer.js';
import { StepTimings } from './step-timings.js';
import { trainLoop } from './train-loop.js';
import type { FinishedStep } from './train-step.js';

const heartbeatMs = 500;
/** How long the coordinator has to act after a peer's stream broke: its own heartbeats decide within 2 s. */
const peerGoneMs = 15_000;

/** What a worker needs. */
export interface WorkerDependencies {
  readonly coordinatorAddress: string;
  readonly channel: Channel<FromWorker, FromCoordinator>;
  readonly clock: Clock;
  /** Fetches data and starts the engine, when the spec is known. */
  prepare(spec: RunSpec): Promise<PreparedRun>;
  /** `host:port` under which others reach the port that `Exchange` got. */
  advertise(port: number): string;
  readonly log: { info(text: string): void; warn(text: string): void };
  readonly watch: WorkerWatch;
}

/** Who looks on: metrics. */
export interface WorkerWatch {
  begun(begin: Begin, rank: number): void;
  stepFinished(step: FinishedStep, arenaBytes: number): void;
  evaluated(record: EvaluationRecord, seconds: number): void;
  exchanged(sentBytes: number, receivedBytes: number): void;
}

export interface WorkerOptions {
  readonly workerId: string;
  readonly host: string;
  readonly pid: number;
  /** `host:port` where this worker's metrics are served. */
  readonly metricsAddress: string;
  /** Where the `Exchange` service listens. */
  readonly listen: HostPort;
  /** Whether somebody gave the port; one that nobody chose may be any free one instead. */
  readonly isPortChosen: boolean;
}

/**
 * One worker, from its Hello to the End. What it does about membership is decided by the pure functions of `cluster/`;
 * here their actions meet streams, engine and clock.
 */
export class Worker {
  private membership;
  private run: PreparedRun | undefined;
  private server: ExchangeServer | undefined;
  private peers: ExchangeClients | undefined;
  private link: GrpcLink | undefined;
  private catchUp: AbortController | undefined;
  private running: Promise<void> = Promise.resolve();
  /** The last step of which the coordinator has the record, as far as we were told. */
  private recordedStep = 0;
  /** The last step is finished here. */
  private hasEnded = false;
  private readonly reporter: Reporter;
  private readonly timings = new StepTimings();
  private readonly life: Lifetime;

  constructor(
    private readonly deps: WorkerDependencies,
    private readonly options: WorkerOptions,
  ) {
    this.life = new Lifetime(deps.clock);
    this.membership = joinedWorker(options.workerId);
    this.reporter = new Reporter(options.workerId, deps.clock, (report) => deps.channel.send(report));
  }

  /** @returns at the run's End @throws LockstepError for whatever ends the worker before */
  async work(): Promise<void> {
    const { channel, coordinatorAddress } = this.deps;
    const { workerId, host, pid, metricsAddress } = this.options;
    channel.listen({
      message: (message) => this.life.guard(() => this.onMessage(message)),
      closed: (reason) => this.life.fail(transportFault('COORDINATOR_LOST', { address: coordinatorAddress, reason })),
    });
    channel.send({ kind: 'hello', protocolVersion, numericsVersion, workerId, host, pid, metricsAddress });
    try {
      await this.life.wait();
    } catch (error) {
      this.sayWhy(error);
      throw error;
    } finally {
      await this.close();
    }
  }

  /** Asks to leave; `work` returns when nobody needs this worker any more. */
  leave(): void {
    this.deps.channel.send({ kind: 'leaving' });
  }

  private onMessage(message: FromCoordinator): void {
    switch (message.kind) {
      case 'welcome':
        void this.life.guardAsync(this.prepare(JSON.parse(message.runSpec) as RunSpec));
        break;
      case 'refused':
        this.life.fail(errorOf(message));
        break;
      case 'dismissed':
        this.life.finish();
        break;
      case 'seal':
        this.recordedStep = message.recordedStep;
        this.dispatch({ kind: 'message', message });
        break;
      default:
        this.dispatch({ kind: 'message', message });
    }
  }

  private async prepare(spec: RunSpec): Promise<void> {
    const { deps, options } = this;
    this.heartbeat();
    const run = await deps.prepare(spec);
    if (this.life.isOver) return run.engine.stop(); //               the coordinator is gone meanwhile
    this.run = run;
    this.peers = new ExchangeClients(spec.runId, deps.clock);
    this.server = new ExchangeServer(spec.runId, (request) => readState(run, request));
    const port = await this.server.start(options.listen, options.isPortChosen);
    this.dispatch({ kind: 'level', step: run.state.progression.step });
    deps.channel.send({
      kind: 'ready',
      address: deps.advertise(port),
      engine: run.engine.name,
      deterministic: run.engine.deterministic,
      parameterCount: run.engine.layout.parameterCount,
      weightsDigest: weightsDigest(run.state.now.weights),
    });
  }

  private dispatch(input: WorkerInput): void {
    const { state, actions } = advanceWorker(this.membership, input);
    this.membership = state;
    for (const action of actions) this.perform(action);
  }

  private perform(action: WorkerAction): void {
    switch (action.kind) {
      case 'abandon':
        this.link?.close(action.reason);
        this.catchUp?.abort();
        void this.life.guardAsync(this.running.then(() => this.dispatch({ kind: 'abandoned' })));
        break;
      case 'send':
        this.reporter.tellAgain(action.message.generation, action.message.finishedStep, this.recordedStep);
        this.deps.channel.send(action.message);
        break;
      case 'catch-up':
        this.running = this.life.guardAsync(this.pullState(action.begin));
        break;
      case 'run':
        this.running = this.life.guardAsync(this.runGeneration(action.begin));
        break;
      case 'exit':
        this.life.finish();
        break;
      case 'log':
        this.deps.log.warn(action.text);
    }
  }

  /** Rule 8: whoever is behind pulls the state after which the generation begins. */
  private async pullState(begin: Begin): Promise<void> {
    const donor = begin.members[begin.donor]!;
    const abort = (this.catchUp = new AbortController());
    try {
      const request = { what: 'training', step: begin.afterStep } as const;
      const snapshot = await this.peers!.pullState(donor.address, begin.generation, request, abort.signal);
      if (abort.signal.aborted) return;
      adoptState(this.run!.state, snapshot);
    } catch (error) {
      if (abort.signal.aborted) return;
      throw error;
    }
    this.deps.log.info(`pulled the state after step ${begin.afterStep} from ${donor.workerId}`);
    this.dispatch({ kind: 'level', step: begin.afterStep });
  }

  private async runGeneration(begin: Begin): Promise<void> {
    const { deps, run, peers } = this;
    const { generation } = begin;
    const rank = begin.members.findIndex(({ workerId }) => workerId === this.options.workerId);
    const link = new GrpcLink(rank, begin, {
      peerGone: (peer, reason) => this.onPeerGone(link, begin, peer, reason),
      violated: (error) => this.life.fail(error),
    });
    this.link = link;
    this.hasEnded = false;
    this.server!.begin(generation, link);
    peers!.keepOnly(begin.members.map(({ address }) => address));
    link.open((address) => peers!.pull(address, generation, rank));
    deps.watch.begun(begin, rank);
    const isTeller = rank === 0;
    await trainLoop(
      run!,
      begin,
      link,
      {
        stepFinished: (step) => {
          const { record } = step;
          this.dispatch({ kind: 'finished', generation, step: record.step });
          this.reporter.step(generation, record, isTeller);
          this.timings.add(step.timing);
          deps.watch.stepFinished(step, run!.arena.buffer.byteLength);
          deps.watch.exchanged(link.sentBytes, link.receivedBytes);
        },
        evaluated: (record, seconds) => {
          this.reporter.evaluation(record, isTeller);
          deps.watch.evaluated(record, seconds);
        },
        checkpointed: (step) => this.reporter.checkpoint(generation, step),
        ended: (targetReached) => {
          this.hasEnded = true;
          const { now, progression } = run!.state;
          this.tellTimings();
          this.reporter.ended(generation, progression.step, {
            weightsDigest: weightsDigest(now.weights),
            targetReached,
          });
        },
      },
      () => deps.clock.nowMs(),
      () => this.link !== link || link.isClosed,
    );
  }

  /** A peer's report alone removes nobody: the coordinator decides. But no wait is without limit. */
  private onPeerGone(link: GrpcLink, begin: Begin, rank: number, reason: string): void {
    if (this.hasEnded) return; //                                    they go home, as we do
    const { address } = begin.members[rank]!;
    this.deps.log.info(`the stream from rank ${rank} at ${address} broke: ${reason}`);
    this.life.after(peerGoneMs, () => {
      const { step } = this.run!.state.progression;
      if (!link.isClosed)
        this.life.fail(fault('PEER_GONE', { rank, address, step, waitedSeconds: peerGoneMs / 1000, reason }));
    });
  }

  private heartbeat(): void {
    this.tellTimings();
    this.life.after(heartbeatMs, () => this.heartbeat());
  }

  private tellTimings(): void {
    const { channel, clock } = this.deps;
    channel.send({ kind: 'heartbeat', sentAtMs: clock.nowMs(), timings: this.timings.take() });
  }

  private sayWhy(error: unknown): void {
    this.reporter.flush();
    const known = lockstepErrorIn(error);
    const message = known?.message ?? (error instanceof Error ? error.message : String(error));
    const remedy = known?.remedy ?? 'report this as a bug';
    this.deps.channel.send({
      kind: 'failed',
      code: known?.code ?? 'INTERNAL',
      message,
      remedy,
      exitCode: known?.exitCode ?? 1,
    });
  }

  private async close(): Promise<void> {
    this.reporter.flush();
    this.link?.close('the worker ends');
    this.deps.channel.close();
    this.server?.stop();
    this.peers?.close();
    await this.run?.engine.stop();
  }
}
