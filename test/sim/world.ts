import type { EventQueue } from './event-queue.js';
import type { Invariants } from './invariants.js';
import type { Chance, Network } from './network.js';
import type { Rules } from './rules.js';
import type { Scenario } from './scenario.js';
import type { SimCoordinator } from './sim-coordinator.js';
import type { SimJournal, SimLease } from './sim-journal.js';
import type { SimWorker } from './sim-worker.js';

/** What the simulated programs share. */
export interface World {
  readonly scenario: Scenario;
  readonly rules: Rules;
  readonly queue: EventQueue;
  readonly chance: Chance;
  readonly network: Network;
  readonly invariants: Invariants;
  readonly journal: SimJournal;
  /** Where a standby is there, too. */
  readonly lease: SimLease | undefined;
  /** Who leads, as a worker finds it when it looks: nobody, or one that may have stopped to. */
  leader(): SimCoordinator | undefined;
  /** The code with which the run failed. */
  failure: string | undefined;
  /** The living worker with this id. */
  workerOf(workerId: string): SimWorker | undefined;
  /** For whoever replays a seed. */
  note(where: string, what: object): void;
  /** Counts that something happened, so that tests can say what a simulation has covered. */
  count(what: string): void;
}
