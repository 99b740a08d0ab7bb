import { advanceCoordinator, restoredCoordinator } from '../../src/cluster/coordinator-membership.js';
import { describeGeneration, type Begin, type Generation } from '../../src/cluster/messages.js';
import { advanceWorker } from '../../src/cluster/worker-membership.js';

/** What is under test. Bugs are planted by wrapping these, so that the sources need no switches. */
export interface Rules {
  readonly advanceCoordinator: typeof advanceCoordinator;
  readonly restoredCoordinator: typeof restoredCoordinator;
  readonly advanceWorker: typeof advanceWorker;
  /** Under what a worker files a peer's frame, and looks for it. */
  readonly frameKey: (generation: Generation, step: number, from: string) => string;
  /** Whether a journal of this length takes a record from a writer that knows it to have another length. */
  readonly mayAppend: (knownLength: number, length: number) => boolean;
  /** Whether a worker evaluates a step again that it evaluated in an earlier generation. */
  readonly evaluatesAgain: boolean;
  /** Whether a step finishes only with every member's own header, whoever computed its micro-batches. */
  readonly needsHeaders: boolean;
  /** Micro-batches of the step that follows a state which says so many, in a generation. */
  readonly batchOf: (inState: number, begin: Begin) => number;
}

export const productionRules: Rules = {
  advanceCoordinator,
  restoredCoordinator,
  advanceWorker,
  frameKey: (generation, step, from) => `${describeGeneration(generation)}/${step}/${from}`,
  mayAppend: (knownLength, length) => knownLength === length,
  evaluatesAgain: true,
  needsHeaders: true,
  batchOf: (inState) => inState,
};
