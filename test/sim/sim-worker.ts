import {
  noGeneration,
  type Begin,
  type Generation,
  type Member,
  type Progress,
  type ToCoordinator,
  type ToWorker,
} from '../../src/cluster/messages.js';
import { joinedWorker, type WorkerAction, type WorkerInput } from '../../src/cluster/worker-membership.js';
import type { SimCoordinator, Stream } from './sim-coordinator.js';
import type { World } from './world.js';
import { Pipe } from './network.js';
import { firstBatch, initialDigest, nextDigest, ownFrame, type Frame, type SimState } from './training.js';

export type FromSimWorker =
  | { readonly kind: 'joined'; readonly member: Member }
  | { readonly kind: 'greeted'; readonly progress: Progress }
  | { readonly kind: 'leaving' }
  | { readonly kind: 'heartbeat' }
  | ToCoordinator;
export type ToSimWorker = ToWorker | { readonly kind: 'dismissed'; readonly why: 'left' | 'dropped' };

const heartbeatMs = 500;
/** A coordinator from which nothing comes for so long is given up. */
const coordinatorSilenceMs = 3_000;

/** A worker program around the real membership code: connects, pulls, computes, exchanges, all on simulated time. */
export class SimWorker {
  core = joinedWorker('');
  /** What it holds. */
  state: SimState = { digest: initialDigest, batch: firstBatch };
  isAlive = false;
  hasExited = false;
  wantsToLeave = false;
  stream: Stream | undefined;
  /** At the other end of the stream, and since when nothing passes between us. */
  private coordinator: SimCoordinator | undefined;
  private silentSinceMs: number | undefined;
  /** The generation whose rounds run here. */
  private running: Begin | undefined;
  /** What is computed and waited for is the evaluation of the finished step, not the next one. */
  private evaluating = false;
  private ended: { readonly begin: Begin; readonly ended: NonNullable<Progress['ended']> } | undefined;
  private frames = new Map<string, Frame>();
  /** The last step that was evaluated here, and in which generation. */
  private evaluated: { readonly begin: Begin; readonly step: number } | undefined;
  private pipes: Pipe<Frame>[] = [];
  private pipesTo = new Map<string, Pipe<Frame>>();
  private lives = 0;
  /** Under which it will never come back. */
  readonly pastIds: string[] = [];

  constructor(
    private readonly world: World,
    /** Host; its ids have it as their beginning. */
    readonly place: string,
  ) {}

  /** A new process, or a dropped one that comes back: a new id, state 0 from the spec. */
  start(): void {
    if (this.isWorking()) this.pastIds.push(this.core.workerId);
    this.lives += 1;
    this.isAlive = true;
    this.hasExited = false;
    this.core = joinedWorker(`${this.place}.${this.lives}`);
    this.state = { digest: initialDigest, batch: firstBatch };
    this.frames = new Map();
    this.evaluated = undefined;
    this.abandonRound();
    this.ended = undefined;
    this.receive({ kind: 'level', step: 0 });
    this.later(this.world.chance.between(0, 50), () => this.connect());
    this.beat();
  }

  kill(): void {
    this.isAlive = false;
    this.pastIds.push(this.core.workerId);
    this.lives += 1; //                                              its timers mean nothing any more
    this.abandonRound();
    this.stream?.break(0.5);
    this.stream = undefined;
  }

  leave(): void {
    this.wantsToLeave = true;
    this.say({ kind: 'leaving' });
  }

  /** From the coordinator; `late` is what was left in the buffers of a broken stream. */
  onMessage(workerId: string, message: ToSimWorker, late: boolean): void {
    if (!this.isWorking() || workerId !== this.core.workerId) return;
    if (message.kind !== 'dismissed') return this.receive({ kind: 'message', message });
    if (late) return;
    if (this.wantsToLeave) return this.exit(true);
    this.stream?.break(0);
    this.stream = undefined;
    this.start();
  }

  onStreamClosed(stream: Stream): void {
    if (this.stream !== stream) return;
    this.stream = undefined;
    this.later(this.world.chance.between(5, 100), () => this.connect());
  }

  onFrame(frame: Frame): void {
    const { finishedStep } = this.core;
    if (!this.isWorking() || frame.step < finishedStep || (frame.step === finishedStep && !frame.isEvaluation)) return;
    const key = this.keyOf(frame.generation, frame.step, frame.from, frame.isEvaluation, frame.isHeader);
    if (!this.frames.has(key)) this.frames.set(key, frame);
    this.finishIfComplete();
  }

  private keyOf(generation: Generation, step: number, from: string, isEvaluation: boolean, isHeader = false): string {
    const kind = isHeader ? '/header' : isEvaluation ? '/evaluation' : '';
    return `${this.world.rules.frameKey(generation, step, from)}${kind}`;
  }

  get digest(): number {
    return this.state.digest;
  }

  isWorking(): boolean {
    return this.isAlive && !this.hasExited;
  }

  /** The state after `step`, if it has it and can be reached from `place`. */
  stateFor(place: string, step: number): SimState | undefined {
    const { network, queue } = this.world;
    const isReachable =
      this.isWorking() && !network.isPaused(this.place) && network.passesAtMs(this.place, place) <= queue.nowMs;
    return isReachable && this.core.hasState && this.core.finishedStep === step ? this.state : undefined;
  }

  private connect(): void {
    const { network, queue, chance } = this.world;
    if (this.stream || !this.isWorking()) return;
    const coordinator = this.world.leader();
    if (!coordinator || network.passesAtMs(this.place, coordinator.place) > queue.nowMs)
      return this.later(chance.between(50, 300), () => this.connect());
    this.stream = coordinator.accept(this);
    this.coordinator = coordinator;
    this.silentSinceMs = undefined;
    const { workerId, sealed } = this.core;
    if (sealed === noGeneration) this.say({ kind: 'joined', member: { workerId, address: this.place } });
    else this.say({ kind: 'greeted', progress: this.progress() });
    if (this.wantsToLeave) this.say({ kind: 'leaving' });
  }

  private beat(): void {
    this.say({ kind: 'heartbeat' });
    this.judgeCoordinator();
    this.later(heartbeatMs, () => this.beat());
  }

  /** What keepalive does: a coordinator that is stopped or cut off breaks no stream by itself. */
  private judgeCoordinator(): void {
    const { network, queue } = this.world;
    const place = this.coordinator?.place ?? this.place;
    const isSilent = this.stream && network.passesAtMs(this.place, place) > queue.nowMs;
    if (!isSilent) this.silentSinceMs = undefined;
    else if (queue.nowMs - (this.silentSinceMs ??= queue.nowMs) >= coordinatorSilenceMs) {
      const { stream } = this;
      this.stream = undefined;
      stream!.break(0.5);
      this.connect();
    }
  }

  private say(message: FromSimWorker): void {
    this.stream?.up.send(message);
  }

  private progress(): Progress {
    const { workerId, finishedStep, sealed, begin } = this.core;
    const generation = begin?.generation ?? noGeneration;
    const secondsPerSample = this.world.scenario.secondsPerSample(this.place, finishedStep);
    const base = { kind: 'progress', workerId, generation, finishedStep, sealed, secondsPerSample } as const;
    return this.ended && this.ended.begin === begin ? { ...base, ended: this.ended.ended } : base;
  }

  private receive(input: WorkerInput): void {
    this.world.note(this.core.workerId, input);
    const { state, actions } = this.world.rules.advanceWorker(this.core, input);
    this.core = state;
    for (const action of actions) this.act(action);
  }

  private act(action: WorkerAction): void {
    switch (action.kind) {
      case 'abandon':
        this.abandonRound();
        return this.later(this.world.chance.between(0, 40), () => this.receive({ kind: 'abandoned' }));
      case 'send':
        return this.say(action.message);
      case 'catch-up':
        return this.pull(action.begin);
      case 'run':
        this.running = action.begin;
        this.ended = undefined;
        return this.compute(action.begin);
      case 'exit':
        return this.exit(false);
      case 'log':
    }
  }

  private abandonRound(): void {
    this.running = undefined;
    this.evaluating = false;
    for (const pipe of this.pipes) pipe.break(0.5);
    this.pipes = [];
    this.pipesTo = new Map();
  }

  /** Rule 8: from the donor, or from anybody level; if there is nobody, another Seal will come. */
  private pull(begin: Begin): void {
    this.later(this.world.chance.between(5, 120), () => {
      if (this.core.begin !== begin || this.core.sealing) return;
      const donor = begin.members[begin.donor]!;
      for (const { workerId } of [donor, ...begin.members]) {
        const state = this.world.workerOf(workerId)?.stateFor(this.place, begin.afterStep);
        if (state === undefined || workerId === this.core.workerId) continue;
        this.state = state;
        this.world.count('caughtUp');
        return this.receive({ kind: 'level', step: begin.afterStep });
      }
      this.pull(begin);
    });
  }

  /** The micro-batches of the next step, or the evaluation that is due, then their sums to every member; or the end. */
  private compute(begin: Begin): void {
    const { finishedStep } = this.core;
    const isOver = finishedStep >= begin.lastStep;
    const hasEvaluated = this.hasEvaluated(begin, finishedStep);
    const isDue =
      !hasEvaluated && (isOver || (finishedStep > 0 && finishedStep % this.world.scenario.evaluateEvery === 0));
    const targetReached = hasEvaluated && finishedStep >= this.world.scenario.targetStep;
    if (!isDue && (isOver || targetReached)) {
      this.ended = { begin, ended: { weightsDigest: String(this.digest), targetReached } };
      return this.say(this.progress());
    }
    const step = isDue ? finishedStep : finishedStep + 1;
    const { chance } = this.world;
    const { workerId } = this.core;
    this.evaluating = isDue;
    const isAtIt = (): boolean =>
      this.running === begin && this.evaluating === isDue && this.core.finishedStep === finishedStep;
    const own = { ...this.frameOf(begin, workerId, step), isEvaluation: isDue };
    if (!isDue) this.tell(begin, { ...own, isHeader: true });
    const straggles = !isDue && chance.one(0.03);
    this.later(straggles ? chance.between(100, 1500) : chance.between(2, 60), () => {
      if (!isAtIt()) return;
      this.tell(begin, own);
      if (!isDue) this.later(chance.between(20, 150), () => isAtIt() && this.copyNeighbour(begin, step));
    });
  }

  /** The range of the member before this one is late: it is computed here, too, once everybody is in the step. */
  private copyNeighbour(begin: Begin, step: number): void {
    const { members, generation } = begin;
    const rank = members.findIndex(({ workerId }) => workerId === this.core.workerId);
    const { workerId } = members.at(rank - 1)!;
    if (this.world.rules.needsHeaders && !this.hasHeaders(begin, step)) return;
    if (this.frames.has(this.keyOf(generation, step, workerId, false))) return;
    this.world.count('copied');
    this.tell(begin, { ...this.frameOf(begin, workerId, step), isEvaluation: false });
  }

  private frameOf(begin: Begin, workerId: string, step: number): ReturnType<typeof ownFrame> {
    return ownFrame(begin, workerId, step, this.digest, this.batchOf(begin));
  }

  private hasHeaders({ members, generation }: Begin, step: number): boolean {
    return members.every(({ workerId }) => this.frames.has(this.keyOf(generation, step, workerId, false, true)));
  }

  private tell({ members }: Begin, frame: Frame): void {
    for (const { workerId } of members) if (workerId !== this.core.workerId) this.pipeTo(workerId).send(frame);
    this.onFrame(frame);
  }

  /** A member may have evaluated the step before this generation when others had not: all of them do it again. */
  private hasEvaluated(begin: Begin, step: number): boolean {
    const { evaluated } = this;
    return evaluated?.step === step && (evaluated.begin === begin || !this.world.rules.evaluatesAgain);
  }

  private pipeTo(workerId: string): Pipe<Frame> {
    const known = this.pipesTo.get(workerId);
    if (known) return known;
    const { network, chance } = this.world;
    const peer = this.world.workerOf(workerId);
    const pipe = new Pipe<Frame>(
      network,
      this.place,
      peer?.place ?? workerId,
      () => chance.between(0, 15),
      (frame) => this.world.workerOf(workerId)?.onFrame(frame),
    );
    this.pipes.push(pipe);
    this.pipesTo.set(workerId, pipe);
    return pipe;
  }

  private finishIfComplete(): void {
    const begin = this.running;
    if (!begin) return;
    const { evaluating: isEvaluation } = this;
    const step = isEvaluation ? this.core.finishedStep : this.core.finishedStep + 1;
    const frames = begin.members.flatMap(({ workerId }) => {
      const frame = this.frames.get(this.keyOf(begin.generation, step, workerId, isEvaluation));
      return frame ? [frame] : [];
    });
    if (frames.length < begin.members.length) return;
    if (!isEvaluation && this.world.rules.needsHeaders && !this.hasHeaders(begin, step)) return;
    if (isEvaluation) this.finishEvaluation(begin, step, frames);
    else this.finishStep(begin, step, frames);
    for (const [key, frame] of this.frames) if (frame.step < step) this.frames.delete(key);
    this.compute(begin);
  }

  private finishStep(begin: Begin, step: number, frames: readonly Frame[]): void {
    const batch = this.batchOf(begin);
    const digest = nextDigest(this.digest, step, frames, batch);
    this.state = { digest, batch: begin.globalBatchSize ?? this.state.batch };
    this.receive({ kind: 'finished', generation: begin.generation, step });
    this.world.invariants.stepFinished(this, begin, step, batch);
    this.say(this.progress());
  }

  private finishEvaluation(begin: Begin, step: number, frames: readonly Frame[]): void {
    this.evaluated = { begin, step };
    this.evaluating = false;
    this.world.count('evaluated');
    this.world.invariants.evaluated(this.core.workerId, step, frames);
  }

  private batchOf(begin: Begin): number {
    return this.world.rules.batchOf(this.state.batch, begin);
  }

  private exit(wasDismissed: boolean): void {
    this.world.invariants.exited(this, wasDismissed);
    this.hasExited = true;
    this.pastIds.push(this.core.workerId);
    this.abandonRound();
    this.stream?.break(0);
    this.stream = undefined;
  }

  /** For this life only, and not while it is stopped. */
  private later(delayMs: number, run: () => void): void {
    const { queue, network } = this.world;
    const life = this.lives;
    const attempt = (): void => {
      if (this.lives !== life || !this.isWorking()) return;
      if (network.isPaused(this.place)) return queue.at(network.passesAtMs(this.place, this.place), attempt);
      run();
    };
    queue.after(delayMs, attempt);
  }
}
