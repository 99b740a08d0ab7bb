import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advanceCoordinator, newCoordinator } from '../../src/cluster/coordinator-membership.js';
import type { CoordinatorInput, CoordinatorMembership } from '../../src/cluster/coordinator-state.js';
import { noGeneration, type Progress, type ToCoordinator, type ToWorker } from '../../src/cluster/messages.js';
import {
  advanceWorker,
  joinedWorker,
  type WorkerInput,
  type WorkerMembership,
} from '../../src/cluster/worker-membership.js';
import { planRanges } from '../../src/collective/plan-ranges.js';
import { randomStream } from '../../src/core/random.js';
import { BeginEncoder } from '../../src/transport/grpc/begin-codec.js';
import { EventQueue } from './event-queue.js';
import { Chance } from './network.js';

const workerCount = 1_000;
/** What a message takes the coordinator, in or out: more than was measured (docs/scaling.md). */
const messageMs = 0.15;
const tickMs = 500;
const stepMs = 500;

/** The rules of coordinator and workers, a network that takes its time, and a coordinator that does one thing at a time. */
class Crowd {
  readonly queue = new EventQueue();
  private readonly chance = new Chance(randomStream(1, 'scale'));
  private core: CoordinatorMembership;
  private readonly workers = new Map<string, WorkerMembership>();
  private readonly encoder = new BeginEncoder('r');
  private readonly told = new Map<string, Extract<ToWorker, { kind: 'begin' }>>();
  private busyUntilMs = 0;
  readonly sent: Record<ToWorker['kind'], number> = { seal: 0, begin: 0, end: 0 };
  beginBytes = 0;

  constructor() {
    const planShares = (seconds: readonly (number | undefined)[]) => planRanges(seconds, 4 * workerCount);
    const options = { term: 1, worldSize: workerCount, minWorkers: 1, lastStep: 1_000_000, planShares };
    this.core = newCoordinator(options);
    this.tick();
  }

  get generation(): number {
    return this.core.begin?.generation.number ?? 0;
  }

  get rebalances(): number {
    return this.core.rebalances;
  }

  /** Workers that run under the newest generation. */
  get running(): number {
    const isRunning = ({ begin }: WorkerMembership) => begin?.generation.number === this.generation;
    return this.generation === 0 ? 0 : [...this.workers.values()].filter(isRunning).length;
  }

  join(workerId: string): void {
    this.workers.set(workerId, advanceWorker(joinedWorker(workerId), { kind: 'level', step: 0 }).state);
    this.toCoordinator({ kind: 'joined', member: { workerId, address: '10.20.30.40:7071' } });
  }

  lose(workerId: string): void {
    this.workers.delete(workerId);
    this.toCoordinator({ kind: 'lost', workerId, reason: 'gone' });
  }

  /** Lets time pass until all run under a generation newer than `number`. @returns milliseconds that it took */
  untilRunningAfter(number: number): number {
    const { nowMs: beganMs } = this.queue;
    while (this.generation <= number || this.running < this.workers.size) this.queue.next();
    return this.queue.nowMs - beganMs;
  }

  passMs(forMs: number): void {
    const endMs = this.queue.nowMs + forMs;
    while (this.queue.nowMs < endMs) this.queue.next();
  }

  private tick(): void {
    this.toCoordinator({ kind: 'tick' });
    this.queue.after(tickMs, () => this.tick());
  }

  private networkMs(): number {
    return this.chance.between(1, 40);
  }

  /** Whatever comes waits until the coordinator has done what came before. */
  private toCoordinator(input: CoordinatorInput): void {
    this.queue.after(this.networkMs(), () => this.whenFree(() => this.dispatch(input)));
  }

  private whenFree(run: () => void): void {
    this.busyUntilMs = Math.max(this.busyUntilMs, this.queue.nowMs) + messageMs;
    this.queue.at(this.busyUntilMs, run);
  }

  private dispatch(input: CoordinatorInput): void {
    const { state, actions } = advanceCoordinator(this.core, input);
    this.core = state;
    for (const action of actions) {
      if (action.kind === 'append') this.queue.after(5, () => this.whenFree(() => this.dispatch({ kind: 'appended' })));
      if (action.kind === 'fail') throw action.error;
      if (action.kind === 'send') this.send(action.workerId, action.message);
    }
  }

  private send(workerId: string, message: ToWorker): void {
    this.sent[message.kind] += 1;
    if (message.kind === 'begin') {
      this.beginBytes += this.encoder.encode(message, this.told.get(workerId)).byteLength;
      this.told.set(workerId, message);
    }
    this.whenFree(() =>
      this.queue.after(this.networkMs(), () => this.toWorker(workerId, { kind: 'message', message })),
    );
  }

  private toWorker(workerId: string, input: WorkerInput): void {
    const known = this.workers.get(workerId);
    if (!known) return;
    const { state, actions } = advanceWorker(known, input);
    this.workers.set(workerId, state);
    for (const action of actions) {
      if (action.kind === 'send') this.say(action.message);
      if (action.kind === 'abandon') this.toWorker(workerId, { kind: 'abandoned' });
      if (action.kind === 'catch-up') this.toWorker(workerId, { kind: 'level', step: action.begin.afterStep });
      if (action.kind === 'run') this.step(workerId, action.begin.generation.number);
    }
  }

  /** Steps go on until the generation is sealed; each is reported, as are heartbeats. */
  private step(workerId: string, number: number): void {
    this.queue.after(stepMs, () => {
      const worker = this.workers.get(workerId);
      if (worker?.begin?.generation.number !== number) return;
      const { generation } = worker.begin;
      const finishedStep = worker.finishedStep + 1;
      this.toWorker(workerId, { kind: 'finished', generation, step: finishedStep });
      const report: Progress = { kind: 'progress', workerId, generation, finishedStep, sealed: generation };
      this.say({ ...report, secondsPerSample: 0.001 });
      this.whenFree(() => undefined); //                               a heartbeat
      this.step(workerId, number);
    });
  }

  private say(message: ToCoordinator): void {
    this.toCoordinator({ kind: 'message', message });
  }
}

test(`${workerCount} workers join within 10 s, and of a change all know within 1 s`, () => {
  const crowd = new Crowd();
  for (let i = 0; i < workerCount; i++) crowd.join(`host-${i}-5f3a`);
  const joinMs = crowd.untilRunningAfter(noGeneration.number);
  assert.ok(joinMs < 10_000, `joined after ${joinMs} ms`);
  assert.equal(crowd.sent.begin, workerCount);
  crowd.passMs(20_000);
  assert.equal(crowd.generation, 1, 'it settles: nobody is asked again');
  assert.ok(crowd.sent.begin < 2.5 * workerCount, 'who has a step to finish is not told again and again');

  const { begin: begins, seal: seals } = crowd.sent;
  const { beginBytes } = crowd;
  crowd.lose('host-500-5f3a');
  const changeMs = crowd.untilRunningAfter(1);
  assert.ok(changeMs < 1_000, `a change took ${changeMs} ms`);
  assert.ok(crowd.sent.seal - seals < 2 * workerCount && crowd.sent.begin - begins < 2 * workerCount);
  const bytesEach = (crowd.beginBytes - beginBytes) / (crowd.sent.begin - begins);
  assert.ok(bytesEach < 100, `${bytesEach} bytes a Begin`);

  crowd.join('host-new-77aa');
  assert.ok(crowd.untilRunningAfter(2) < 1_000);
  assert.equal(crowd.running, workerCount);
  assert.equal(crowd.rebalances, 0);
});
