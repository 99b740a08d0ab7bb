import { noGeneration, type Begin, type Progress, type Sealed } from '../cluster/messages.js';
import { errorOf, type FromCoordinator, type Ready, type Welcome } from '../cluster/session.js';
import { advanceWorker, joinedWorker, type WorkerAction, type WorkerInput } from '../cluster/worker-membership.js';
import { weightsDigest } from '../core/digest.js';
import { Lifetime } from '../core/lifetime.js';
import type { RunSpec } from '../core/run-spec.js';
import { numericsVersion, protocolVersion } from '../core/versions.js';
import { ExchangeClients } from '../transport/grpc/exchange-client.js';
import { ExchangeServer } from '../transport/grpc/exchange-server.js';
import { fault as transportFault } from '../transport/faults.js';
import { GrpcLink } from '../transport/grpc/grpc-link.js';
import { pullFromAnybody } from './catch-up.js';
import { CoordinatorStream } from './coordinator-stream.js';
import { farewellOf } from './farewell.js';
import { fault } from './faults.js';
import { GonePeers } from './gone-peers.js';
import { Lending } from './lending.js';
import type { PreparedRun } from './prepared-run.js';
import { Reporter } from './reporter.js';
import { SecondComputation } from './second-computation.js';
import { answerState } from './state-transfer.js';
import { StepTimings } from './step-timings.js';
import { trainLoop } from './train-loop.js';
import type { FinishedStep } from './train-step.js';
import { watchEngine } from './watched-engine.js';
import type { WorkerDependencies, WorkerOptions } from './worker-options.js';

const heartbeatMs = 500;

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
  /** Of the run that this worker is part of, once it is. */
  private runId: string | undefined;
  private ready: Omit<Ready, 'greeting'> | undefined;
  /** The last step is finished here, in the generation that runs. */
  private ended: Progress['ended'];
  private isTeller = false;
  private wantsToLeave = false;
  /** When a step was last finished, or the coordinator last there. */
  private aliveMs = 0;
  private readonly stream: CoordinatorStream;
  private readonly reporter: Reporter;
  private readonly timings = new StepTimings();
  private readonly second: SecondComputation;
  private readonly gonePeers: GonePeers;
  private lending: Lending | undefined;
  /** Where the hub is, where the topology is a star. */
  private hub: string | undefined;
  private readonly life: Lifetime;

  constructor(
    private readonly deps: WorkerDependencies,
    private readonly options: WorkerOptions,
  ) {
    this.life = new Lifetime(deps.clock);
    this.membership = joinedWorker(options.workerId);
    const { workerId, host, pid, metricsAddress } = options;
    this.stream = new CoordinatorStream(
      { ...deps, hello: { kind: 'hello', protocolVersion, numericsVersion, workerId, host, pid, metricsAddress } },
      {
        attached: (welcome) => this.life.guard(() => this.onAttached(welcome)),
        message: (message) => this.life.guard(() => this.onMessage(message)),
        detached: (reason) => this.life.guard(() => this.onDetached(reason)),
      },
    );
    this.gonePeers = new GonePeers({
      ...deps,
      life: this.life,
      isCoordinatorThere: () => this.stream.isOpen,
      finishedStep: () => this.run!.state.progression.step,
    });
    this.reporter = new Reporter({
      workerId,
      clock: deps.clock,
      send: (report) => this.stream.send(report),
      watch: (steps) => this.watchSteps(steps),
    });
    const computedLate = (seconds: number, samples: number): void => this.reporter.computed(seconds, samples);
    this.second = new SecondComputation({ ...deps, events: { ...deps.watch.second, computedLate } });
  }

  /** @returns at the run's End @throws LockstepError for whatever ends the worker before */
  async work(): Promise<void> {
    this.stream.start();
    try {
      await this.life.wait();
    } catch (error) {
      this.reporter.flush();
      this.stream.send(farewellOf(error));
      throw error;
    } finally {
      await this.close();
    }
  }

  /** Asks to leave; `work` returns when nobody needs this worker any more. */
  leave(): void {
    this.wantsToLeave = true;
    this.stream.send({ kind: 'leaving' });
  }

  /** For the first time, or again after the stream broke or the coordinator was replaced. */
  private onAttached(welcome: Welcome): void {
    const { deps, runId } = this;
    const address = deps.coordinatorAddress;
    if (runId === undefined) {
      this.runId = welcome.runId;
      void this.life.guardAsync(this.prepare(JSON.parse(welcome.runSpec) as RunSpec));
    } else if (runId !== welcome.runId) {
      if (!this.ended) return this.life.fail(fault('OTHER_RUN', { address, runId, other: welcome.runId }));
      deps.log.info(`run ${runId} is over: the coordinator at ${address} leads another one`);
      return this.life.finish();
    } else deps.log.info(`the coordinator at ${address} is there again`);
    this.recordedStep = welcome.recordedStep;
    this.hub = welcome.hubPort > 0 ? deps.hubAt(welcome.hubPort) : undefined;
    this.lendToHub();
    this.sayReady();
    if (this.wantsToLeave) this.stream.send({ kind: 'leaving' });
  }

  /** Nobody needs the coordinator between two steps: they go on. */
  private onDetached(reason: string): void {
    const { deps, options } = this;
    deps.log.warn(
      `the coordinator at ${deps.coordinatorAddress} is lost (${reason}); steps go on as long as all workers are there, and it is sought until then and for ${options.coordinatorTimeoutSeconds} s more`,
    );
    this.aliveMs = deps.clock.nowMs();
    this.limitAbsence(reason);
  }

  /** No wait is without limit, but as long as steps are finished nobody waits. */
  private limitAbsence(reason: string): void {
    const { deps, options } = this;
    const limitMs = options.coordinatorTimeoutSeconds * 1000;
    const leftMs = this.aliveMs + limitMs - deps.clock.nowMs();
    this.life.after(Math.max(leftMs, 0), () => {
      if (this.stream.isOpen) return;
      if (deps.clock.nowMs() - this.aliveMs < limitMs) return this.limitAbsence(reason);
      const seconds = options.coordinatorTimeoutSeconds;
      this.life.fail(transportFault('COORDINATOR_LOST', { address: deps.coordinatorAddress, seconds, reason }));
    });
  }

  private onMessage(message: Exclude<FromCoordinator, Welcome>): void {
    switch (message.kind) {
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
    const prepared = await deps.prepare(spec);
    if (this.life.isOver) return prepared.engine.stop(); //          the coordinator is gone meanwhile
    const where = () => ({ host: options.host, rank: this.link?.rank ?? -1 });
    const engine = watchEngine(prepared, deps.clock, where, () => deps.engineStuck());
    const run = (this.run = { ...prepared, engine });
    this.peers = new ExchangeClients(spec.runId, deps.clock, deps.security?.identity);
    this.server = new ExchangeServer(spec.runId, (request) => answerState(run, request), deps.security);
    const address = deps.advertise(await this.server.start(options.listen, options.isPortChosen));
    await this.server.startForHost(address);
    this.dispatch({ kind: 'level', step: run.state.progression.step });
    this.lending = new Lending({ peers: this.peers, server: this.server, clock: deps.clock, ownAddress: address });
    this.lendToHub();
    this.ready = {
      kind: 'ready',
      address,
      engine: run.engine.name,
      deterministic: run.engine.deterministic,
      parameterCount: run.engine.layout.parameterCount,
      weightsDigest: weightsDigest(run.state.now.weights),
    };
    this.sayReady();
  }

  /** As soon as both are known: the hub, and under which address we are. */
  private lendToHub(): void {
    if (this.hub === undefined || !this.lending) return;
    this.peers!.hub = this.hub;
    this.lending.to(this.hub);
  }

  /** That we can take part; who has answered a Seal before says how far it is (rule 11), and first what was missed. */
  private sayReady(): void {
    if (!this.ready) return;
    const { begin, sealed, finishedStep } = this.membership;
    if (sealed === noGeneration) return this.stream.send(this.ready);
    const generation = begin?.generation ?? noGeneration;
    const { workerId } = this.options;
    const progress: Progress = { kind: 'progress', workerId, generation, finishedStep, sealed };
    if (this.isTeller) this.reporter.tellAgain(progress, this.recordedStep, this.run?.checkpoint?.step);
    this.stream.send({ ...this.ready, greeting: this.ended && begin ? { ...progress, ended: this.ended } : progress });
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
        this.tellAgain(action.message);
        this.stream.send(action.message);
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
    const abort = (this.catchUp = new AbortController());
    const { clock, log } = this.deps;
    const { workerId } = this.options;
    const from = await pullFromAnybody(this.run!.state, begin, workerId, this.peers!, clock, abort.signal);
    if (from === undefined) return; //                               another Seal came
    log.info(`pulled the state after step ${begin.afterStep} from ${from}`);
    this.dispatch({ kind: 'level', step: begin.afterStep });
  }

  /** Everybody who answers a Seal tells what the coordinator has no record of: whoever should have may be lost. */
  private tellAgain({ workerId, generation, finishedStep }: Sealed): void {
    const progress: Progress = { kind: 'progress', workerId, generation, finishedStep, sealed: generation };
    this.reporter.tellAgain(progress, this.recordedStep);
  }

  private async runGeneration(begin: Begin): Promise<void> {
    const { deps, run, peers } = this;
    const { generation } = begin;
    const rank = begin.members.findIndex(({ workerId }) => workerId === this.options.workerId);
    const { runId, checksum, codec } = run!.spec;
    const { hub } = this;
    const link = new GrpcLink(
      { rank, runId, begin, hub, checksum, clock: deps.clock, memoryFolder: this.options.memoryFolder },
      {
        peerGone: (peer, reason) => {
          if (!this.ended) this.gonePeers.add(link, peer, begin.members[peer]?.workerId, reason); // else they go home, as we do
        },
        violated: (error) => this.life.fail(error),
      },
    );
    this.link = link;
    this.ended = undefined;
    const isTeller = (this.isTeller = rank === 0);
    this.server!.begin(generation, link);
    link.open((address, events) => peers!.pull(address, generation, rank, events));
    deps.watch.begun(begin, rank, codec?.name ?? 'f32');
    await trainLoop(
      run!,
      begin,
      link,
      {
        stepFinished: (step) => {
          this.dispatch({ kind: 'finished', generation, step: step.record.step });
          this.aliveMs = deps.clock.nowMs();
          this.reporter.finished(generation, step, isTeller);
        },
        evaluated: (record, seconds) => {
          this.reporter.evaluation(record, isTeller);
          deps.watch.evaluated(record, seconds);
        },
        checkpointed: (step) => this.reporter.checkpoint(generation, step),
        ended: (targetReached) => {
          const { now, progression } = run!.state;
          this.ended = { weightsDigest: weightsDigest(now.weights), targetReached };
          this.reporter.settle();
          this.tellTimings();
          this.reporter.ended(generation, progression.step, this.ended);
        },
      },
      () => deps.clock.nowMs(),
      () => this.link !== link || link.isClosed,
      this.second,
    ).finally(() => this.reporter.settle());
  }

  private watchSteps(steps: readonly FinishedStep[]): void {
    for (const { timing } of steps) {
      this.deps.log.debug(`finished step ${timing.step}`);
      this.timings.add(timing);
    }
    this.deps.watch.stepsFinished(steps, this.run!.arena.buffer.byteLength, this.link!);
  }

  private heartbeat(): void {
    this.tellTimings();
    this.life.after(heartbeatMs, () => this.heartbeat());
  }

  private tellTimings(): void {
    if (this.stream.isOpen)
      this.stream.send({ kind: 'heartbeat', sentAtMs: this.deps.clock.nowMs(), timings: this.timings.take() });
  }

  private async close(): Promise<void> {
    this.reporter.flush();
    this.link?.close('the worker ends');
    this.stream.close();
    this.lending?.close();
    this.server?.stop();
    this.peers?.close();
    await this.run?.engine.stop();
  }
}
