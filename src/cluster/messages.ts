/** What coordinator and workers say to each other about membership. Numbers of rules refer to the protocol's sixteen. */

/** Membership version: terms order coordinators, numbers order the generations. Never reused, +1 on any change. */
export interface Generation {
  readonly term: number;
  readonly number: number;
}

export interface Member {
  /** A process, for its lifetime: stable name plus a fresh suffix. */
  readonly workerId: string;
  /** `host:port` of its `Exchange` service. */
  readonly address: string;
}

/** Ends every older generation at whoever answers it (rule 3). */
export interface Seal {
  readonly kind: 'seal';
  readonly generation: Generation;
}

/** The answer to a Seal (rule 4): after it, nothing of an older generation is sent, accepted or finished. */
export interface Sealed {
  readonly kind: 'sealed';
  readonly workerId: string;
  readonly generation: Generation;
  readonly finishedStep: number;
  /** Whether the worker holds the training state after `finishedStep`. */
  readonly hasState: boolean;
}

/** A generation as it starts (rule 6): everything that its members must agree on. */
export interface Begin {
  readonly kind: 'begin';
  readonly generation: Generation;
  /** By rank. */
  readonly members: readonly Member[];
  /** Micro-batches of a full step by rank, or another whole number in proportion: with those of a step they give the ranges. */
  readonly shares: readonly number[];
  /** Rank of a member that holds state `afterStep`. */
  readonly donor: number;
  /** m, the most advanced finished step: m+1 follows. */
  readonly afterStep: number;
  /** The step after which the run ends; `afterStep` itself for a stop. */
  readonly lastStep: number;
  /** Samples of each step from afterStep + 2 on (rule 2), where the batch follows the cluster. */
  readonly globalBatchSize?: number;
}

/** A worker's progress (rule 11). */
export interface Progress {
  readonly kind: 'progress';
  readonly workerId: string;
  readonly generation: Generation;
  readonly finishedStep: number;
  /** The newest Seal that was answered. */
  readonly sealed: Generation;
  /** Seconds that a sample took it lately, forward and backward; absent until it is known. */
  readonly secondsPerSample?: number;
  /** The last step is finished, evaluation included; digest of the weights that it left. */
  readonly ended?: { readonly weightsDigest: string; readonly targetReached: boolean };
}

/** Everything is stored: now, and only now, may anybody exit (rule 16). */
export interface End {
  readonly kind: 'end';
  readonly generation: Generation;
}

/** The beginning of a coordinator's term (rule 12). */
export interface Term {
  readonly kind: 'term';
  readonly term: number;
}

/** What the journal holds of membership; a restored coordinator starts from the last Begin and whether there is an End. */
export type JournalRecord = Term | Begin | End;

export type ToWorker = Seal | Begin | End;
export type ToCoordinator = Sealed | Progress;

export const noGeneration: Generation = { term: 0, number: 0 };

/** Negative if `a` is older than `b`, 0 if they are the same. */
export function compareGenerations(a: Generation, b: Generation): number {
  return a.term - b.term || a.number - b.number;
}

export function describeGeneration(g: Generation): string {
  return `${g.term}.${g.number}`;
}
