import assert from 'node:assert/strict';
import {
  advanceCoordinator,
  newCoordinator,
  type CoordinatorAction,
  type CoordinatorInput,
} from '../../src/cluster/coordinator-membership.js';
import {
  compareGenerations,
  type Begin,
  type Generation,
  type ToCoordinator,
  type ToWorker,
} from '../../src/cluster/messages.js';
import {
  advanceWorker,
  joinedWorker,
  type WorkerAction,
  type WorkerInput,
} from '../../src/cluster/worker-membership.js';
import { randomStream } from '../../src/core/random.js';

/** What a simulated run is put through. */
export interface SimulationOptions {
  readonly seed: number;
  readonly worldSize: number;
  readonly minWorkers: number;
  readonly lastStep: number;
  /** Workers that are killed, each at a random moment. */
  readonly kills: number;
  /** Whether somebody asks for a stop at a random moment. */
  readonly stop: boolean;
}

export interface SimulationResult {
  readonly outcome: 'ended' | 'failed';
  readonly failure: string | undefined;
  /** By worker: the step whose state it holds at the end; only those that are alive. */
  readonly finalSteps: readonly number[];
  readonly killsDone: number;
  readonly stopped: boolean;
  readonly generations: number;
}

interface SimWorker {
  readonly id: string;
  core: ReturnType<typeof joinedWorker>;
  isAlive: boolean;
  /** The generation whose rounds run here; undefined when abandoned, catching up or ended. */
  running: Begin | undefined;
  /** Peers' data that arrived, as `generation/step/from`. */
  readonly received: Set<string>;
  hasExited: boolean;
}

/**
 * The real membership code of a coordinator and its workers, with messages, steps and the journal modelled around it:
 * everything that is under way happens in an order drawn from the seed, messages between two ends stay in order, and a
 * step finishes where every member's data has arrived. Invariants are checked at every event.
 */
export function simulate(options: SimulationOptions): SimulationResult {
  const random = randomStream(options.seed, 'membership');
  const below = (limit: number): number => random.uint32() % limit;
  let coordinator = newCoordinator({ ...options, term: 1 });
  const workers: SimWorker[] = Array.from({ length: options.worldSize }, (_, i) => ({
    id: `w${i}`,
    core: joinedWorker(`w${i}`),
    isAlive: true,
    running: undefined,
    received: new Set(),
    hasExited: false,
  }));
  /** Things that will happen: queues, of each of which the first may happen next. */
  const queues = new Map<string, (() => void)[]>();
  const journal: (Begin | { readonly kind: 'end' })[] = [];
  let isStored = false;
  let outcome: 'ended' | 'failed' | undefined;
  let failure: string | undefined;
  let killsDone = 0;
  let stopped = false;

  const later = (queue: string, event: () => void): void => {
    const events = queues.get(queue);
    if (events) events.push(event);
    else queues.set(queue, [event]);
  };
  const workerOf = (id: string): SimWorker => workers.find((w) => w.id === id)!;

  function toCoordinator(input: CoordinatorInput): void {
    const { state, actions } = advanceCoordinator(coordinator, input);
    coordinator = state;
    for (const action of actions) perform(action);
  }

  function perform(action: CoordinatorAction): void {
    switch (action.kind) {
      case 'send':
        checkAnnouncement(action.message);
        return later(`coordinator>${action.workerId}`, () => receive(workerOf(action.workerId), action.message));
      case 'append':
        return later('journal', () => {
          journal.push(action.record);
          toCoordinator({ kind: 'appended' });
        });
      case 'store':
        return later('store', () => {
          if (!workerOf(action.member.workerId).isAlive) return; //      its loss is on its way, and another will be asked
          assert.equal(workerOf(action.member.workerId).core.finishedStep, action.step);
          isStored = true;
          toCoordinator({ kind: 'stored' });
        });
      case 'finish':
        outcome = 'ended';
        return;
      case 'fail':
        outcome = 'failed';
        failure = action.error.code;
        return;
      case 'log':
    }
  }

  /** Rules 6 and 16: nothing is announced before the journal has it, and nobody is sent home before all is stored. */
  function checkAnnouncement(message: ToWorker): void {
    if (message.kind === 'begin') assert.ok(journal.includes(message), 'a Begin was announced before it was journaled');
    if (message.kind === 'end')
      assert.ok(isStored && journal.at(-1)?.kind === 'end', 'an End before the final state was stored');
  }

  function receive(worker: SimWorker, message: ToWorker): void {
    if (!worker.isAlive || worker.hasExited) return;
    if (message.kind === 'begin') checkBegin(message);
    toWorker(worker, { kind: 'message', message });
  }

  /** Survivors never go back behind the most advanced survivor's result. */
  function checkBegin(begin: Begin): void {
    const newest = coordinator.begin && compareGenerations(coordinator.begin.generation, begin.generation) === 0;
    for (const { workerId } of newest ? begin.members : []) {
      const { core, isAlive } = workerOf(workerId);
      if (isAlive && !core.begin)
        assert.ok(core.finishedStep <= begin.afterStep, `${workerId} would go back to ${begin.afterStep}`);
    }
  }

  function toWorker(worker: SimWorker, input: WorkerInput): void {
    const { state, actions } = advanceWorker(worker.core, input);
    worker.core = state;
    for (const action of actions) act(worker, action);
  }

  function act(worker: SimWorker, action: WorkerAction): void {
    switch (action.kind) {
      case 'abandon':
        worker.running = undefined;
        return later(`inside ${worker.id}`, () => worker.isAlive && toWorker(worker, { kind: 'abandoned' }));
      case 'send':
        return say(worker, action.message);
      case 'catch-up':
        return later(`inside ${worker.id}`, () => catchUp(worker, action.begin));
      case 'run':
        worker.running = action.begin;
        return advanceRounds(worker);
      case 'exit':
        worker.hasExited = true;
        return;
      case 'log':
    }
  }

  function say(worker: SimWorker, message: ToCoordinator): void {
    later(`${worker.id}>coordinator`, () => toCoordinator({ kind: 'message', message }));
  }

  /** Rule 8: from the donor, or from anybody level; if there is nobody, another Seal will come. */
  function catchUp(worker: SimWorker, begin: Begin): void {
    const isWanted = worker.isAlive && worker.core.begin === begin && !worker.core.sealing;
    if (!isWanted) return;
    const level = begin.members
      .map(({ workerId }) => workerOf(workerId))
      .filter((w) => w.isAlive && w.core.hasState && w.core.finishedStep === begin.afterStep);
    if (level.length > 0) toWorker(worker, { kind: 'level', step: begin.afterStep });
  }

  /** Sends the data of the next step, or reports the end. */
  function advanceRounds(worker: SimWorker): void {
    const begin = worker.running!;
    const finished = worker.core.finishedStep;
    if (finished >= begin.lastStep) {
      worker.running = undefined;
      return say(
        worker,
        progressOf(worker, begin.generation, { weightsDigest: `state ${finished}`, targetReached: false }),
      );
    }
    for (const { workerId } of begin.members) {
      const peer = workerOf(workerId);
      const key = dataKey(begin.generation, finished + 1, worker.id);
      later(`${worker.id}>${workerId}`, () => {
        peer.received.add(key);
        finishIfComplete(peer);
      });
    }
  }

  function finishIfComplete(worker: SimWorker): void {
    const begin = worker.running;
    if (!begin || !worker.isAlive) return;
    const step = worker.core.finishedStep + 1;
    if (!begin.members.every(({ workerId }) => worker.received.has(dataKey(begin.generation, step, workerId)))) return;
    assert.equal(worker.core.sealing, undefined, 'a step of a sealed generation was finished');
    assert.ok(
      compareGenerations(worker.core.sealed, begin.generation) <= 0,
      'a step of an older generation was finished',
    );
    toWorker(worker, { kind: 'finished', generation: begin.generation, step });
    say(worker, progressOf(worker, begin.generation));
    advanceRounds(worker);
  }

  function kill(worker: SimWorker): void {
    if (!worker.isAlive || worker.hasExited) return;
    killsDone += 1;
    worker.isAlive = false;
    worker.running = undefined;
    // What it sent and what was sent to it may be lost, or not.
    for (const name of [...queues.keys()]) if (name.startsWith(`${worker.id}>`) && below(2) === 0) queues.delete(name);
    later(`${worker.id}>coordinator`, () => toCoordinator({ kind: 'lost', workerId: worker.id, reason: 'killed' }));
  }

  for (const worker of workers) {
    toWorker(worker, { kind: 'level', step: 0 });
    later(`${worker.id}>coordinator`, () =>
      toCoordinator({ kind: 'joined', member: { workerId: worker.id, address: worker.id } }),
    );
  }
  const horizon = 4 * options.worldSize ** 2 * (options.lastStep + 2);
  const killTimes = new Map(Array.from({ length: options.kills }, () => [below(horizon), below(options.worldSize)]));
  const stopTime = options.stop ? below(horizon) : -1;

  const eventsMax = 100_000;
  for (let time = 0; outcome === undefined || [...queues.values()].length > 0; time++) {
    assert.ok(time < eventsMax, 'the run does not come to an end');
    const victim = killTimes.get(time);
    if (victim !== undefined && outcome === undefined) kill(workers[victim]!);
    if (time === stopTime && outcome === undefined) {
      stopped = true;
      toCoordinator({ kind: 'stop' });
    }
    const names = [...queues.keys()];
    if (names.length === 0) {
      if (time < horizon) continue; //                                 a kill or a stop may still come
      assert.equal(coordinator.phase, 'gathering', 'nothing is under way, and the run has not ended');
      [outcome, failure] = ['failed', 'WORKERS_MISSING']; //           the program's --join-timeout
      continue;
    }
    const name = names[below(names.length)]!;
    const events = queues.get(name)!;
    const event = events.shift()!;
    if (events.length === 0) queues.delete(name);
    event();
  }

  return {
    outcome: outcome,
    failure,
    finalSteps: workers.filter((w) => w.isAlive).map((w) => w.core.finishedStep),
    killsDone,
    stopped,
    generations: journal.filter((record) => record.kind === 'begin').length,
  };

  function progressOf(
    worker: SimWorker,
    generation: Generation,
    ended?: { weightsDigest: string; targetReached: boolean },
  ) {
    const { id: workerId, core } = worker;
    const base = {
      kind: 'progress',
      workerId,
      generation,
      finishedStep: core.finishedStep,
      sealed: generation,
    } as const;
    return ended ? { ...base, ended } : base;
  }
}

function dataKey(generation: Generation, step: number, from: string): string {
  return `${generation.number}/${step}/${from}`;
}
