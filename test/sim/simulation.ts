import assert from 'node:assert/strict';
import { randomStream } from '../../src/core/random.js';
import { EventQueue } from './event-queue.js';
import { Invariants } from './invariants.js';
import { Chance, Network } from './network.js';
import { productionRules, type Rules } from './rules.js';
import { faultsEndMs, type Fault, type Scenario } from './scenario.js';
import { SimCoordinator } from './sim-coordinator.js';
import { SimJournal, SimLease } from './sim-journal.js';
import { SimWorker } from './sim-worker.js';
import type { World } from './world.js';

/** Once faults stop, the end comes within this. */
const endsWithinMs = 60_000;
const eventsMax = 200_000;

export interface SimulationResult {
  readonly outcome: 'ended' | 'failed';
  readonly failure: string | undefined;
  /** The step after which the run ended. */
  readonly finalStep: number;
  readonly generations: number;
  readonly simulatedMs: number;
  readonly events: number;
  /** How often each phase was entered, each fault fired, and so on. */
  readonly counts: ReadonlyMap<string, number>;
}

/**
 * The real membership code of a coordinator and its workers in one process, on simulated time, with streams, disk,
 * training and processes modelled around it. A function of the scenario alone. Invariants are checked at every event.
 *
 * @param rules - what is under test
 * @param trace - is told what happens, a line an event
 * @throws AssertionError at the event that breaks an invariant, or when the run does not come to an end
 */
export function simulate(
  scenario: Scenario,
  rules: Rules = productionRules,
  trace?: (line: string) => void,
): SimulationResult {
  return new Simulation(scenario, rules, trace).run();
}

class Simulation implements World {
  readonly queue = new EventQueue();
  readonly chance: Chance;
  readonly network: Network;
  readonly invariants: Invariants;
  readonly journal: SimJournal;
  readonly lease: SimLease | undefined;
  private readonly coordinators: readonly SimCoordinator[];
  failure: string | undefined;
  private readonly workers: SimWorker[] = [];
  private readonly counts = new Map<string, number>();

  constructor(
    readonly scenario: Scenario,
    readonly rules: Rules,
    private readonly trace?: (line: string) => void,
  ) {
    this.chance = new Chance(randomStream(scenario.seed, 'simulation'));
    this.network = new Network(this.queue, this.chance);
    this.invariants = new Invariants();
    this.journal = new SimJournal(this);
    this.lease = scenario.standby ? new SimLease(this) : undefined;
    const places = scenario.standby ? ['coordinator', 'standby'] : ['coordinator'];
    this.coordinators = places.map((place) => new SimCoordinator(this, place));
  }

  run(): SimulationResult {
    const { scenario, queue, invariants } = this;
    for (const coordinator of this.coordinators) coordinator.start();
    for (let i = 0; i < scenario.worldSize; i++) this.addWorker();
    for (const { atMs, fault } of scenario.faults) queue.at(atMs, () => this.fire(fault));
    queue.at(faultsEndMs, () => this.keepUp());
    while (!this.isOver()) {
      assert.ok(queue.next(), 'nothing is under way, and the run has not ended');
      assert.ok(queue.count < eventsMax && queue.nowMs < faultsEndMs + endsWithinMs, `no end: ${this.describe()}`);
    }
    if (!this.failure) this.checkEnd();
    return {
      outcome: this.failure ? 'failed' : 'ended',
      failure: this.failure,
      finalStep: Math.max(0, ...this.workers.map((worker) => worker.core.finishedStep)),
      generations: invariants.begins().length,
      simulatedMs: queue.nowMs,
      events: queue.count,
      counts: this.counts,
    };
  }

  leader(): SimCoordinator | undefined {
    const { lease, coordinators } = this;
    return coordinators.find((one) => one.isLeading && (!lease || lease.current === one.holder));
  }

  workerOf(workerId: string): SimWorker | undefined {
    return this.workers.find((worker) => worker.isWorking() && worker.core.workerId === workerId);
  }

  note(where: string, what: object): void {
    this.trace?.(`${this.queue.nowMs} ms ${where} ${JSON.stringify(what)}`);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  private isOver(): boolean {
    if (this.failure) return true;
    return this.invariants.isEnded() && !this.workers.some((worker) => worker.isWorking());
  }

  /** Whoever lived to see the End holds the final state; without a stop it is that of the last step. */
  private checkEnd(): void {
    const { invariants, scenario } = this;
    const last = invariants.begins().at(-1)!;
    const isStopped = this.counts.has('stop');
    if (!isStopped) assert.equal(last.lastStep, scenario.lastStep, 'nobody asked for a stop');
    const { targetStep, evaluateEvery } = scenario;
    const target = Math.ceil(targetStep / evaluateEvery) * evaluateEvery;
    const expected = Math.min(Math.max(target, last.afterStep), last.lastStep);
    for (const { core, isAlive } of this.workers)
      if (isAlive && core.ended && last.members.some(({ workerId }) => workerId === core.workerId))
        assert.equal(core.finishedStep, expected, `${core.workerId} ended at another step`);
  }

  private addWorker(): void {
    const worker = new SimWorker(this, `w${this.workers.length}`);
    this.workers.push(worker);
    worker.start();
  }

  /** After the faults somebody sees to it that there are enough workers, and says which processes are gone. */
  private keepUp(): void {
    const willing = this.workers.filter((worker) => worker.isWorking() && !worker.wantsToLeave);
    if (willing.length < this.scenario.worldSize) this.addWorker();
    for (const worker of this.workers) this.sayGone(worker.pastIds);
    this.queue.after(1_000, () => this.keepUp());
  }

  private sayGone(workerIds: readonly string[]): void {
    for (const coordinator of this.coordinators) for (const id of workerIds) coordinator.processGone(id);
  }

  /** A fault that finds nobody to hit does not count. */
  private fire(fault: Fault): void {
    const hit = 'worker' in fault ? this.workers.filter((worker) => worker.isWorking()) : [];
    const worker = 'worker' in fault ? hit[fault.worker % Math.max(1, hit.length)] : undefined;
    if ('worker' in fault && !worker) return;
    const coordinator = this.leader();
    const needsCoordinator = ['crash', 'stop', 'pause coordinator', 'failed append', 'slow-disk', 'clock-jump'];
    if (needsCoordinator.includes(fault.kind) && !coordinator) return;
    this.count(fault.kind);
    this.note('fault', { ...fault, hits: worker?.core.workerId });
    switch (fault.kind) {
      case 'kill':
        return this.kill(worker!, fault);
      case 'pause':
        return this.network.pause(worker!.place, fault.forMs);
      case 'leave':
        return worker!.leave();
      case 'join':
        return this.addWorker();
      case 'break':
        return worker!.stream?.break(0.5);
      case 'partition': {
        const workers = this.workers.map(({ place }) => place).filter((_, i) => (fault.cut >> (i % 8)) & 1);
        // NATS is on the other side, or on that of a coordinator: it alone is cut off then.
        const others = this.coordinators.map(({ place }) => place).filter((_, i) => (fault.cut >> (8 + i)) & 1);
        return this.network.partition(new Set([...workers, ...(this.lease ? others : [])]), fault.forMs);
      }
      case 'crash':
        coordinator!.crash();
        return this.queue.after(fault.restartMs, () => {
          if (!coordinator!.isUp) coordinator!.start();
        });
      case 'pause coordinator':
        return this.network.pause(coordinator!.place, fault.forMs);
      case 'failed append':
        coordinator!.nextAppendFails = true;
        return;
      case 'slow-disk':
        coordinator!.diskSlowUntilMs = this.queue.nowMs + fault.forMs;
        return;
      case 'clock-jump':
        coordinator!.clockAheadMs += fault.byMs;
        return;
      case 'stop':
        return coordinator!.stop();
    }
  }

  private kill(worker: SimWorker, fault: Fault & { readonly kind: 'kill' }): void {
    const { workerId } = worker.core;
    worker.kill();
    if (fault.isSeen) this.queue.after(this.chance.between(5, 50), () => this.sayGone([workerId]));
    if (fault.restartMs !== undefined && !worker.wantsToLeave) this.queue.after(fault.restartMs, () => worker.start());
  }

  private describe(): string {
    const coordinators = this.coordinators.map(
      ({ core, isLeading, place }) => `${place} ${isLeading ? core.phase : 'does not lead'}, term ${core.options.term}`,
    );
    const workers = this.workers.map((worker) => {
      const what = worker.hasExited ? 'exited' : worker.isAlive ? 'alive' : 'dead';
      return `${worker.core.workerId} ${what} at ${worker.core.finishedStep}`;
    });
    return `${coordinators.join(', ')}; ${workers.join(', ')}`;
  }
}
