import type { EvaluationRecord, PhaseSeconds, RunReport } from '../core/events.js';
import type { PublicEvent } from './public-events.js';

/** Raised when a field changes its meaning or goes away. */
export const pictureVersion = 1;

/** What a person needs to see of a run: `/api/picture`, the data of the live page, and picture.json at the end. Bounded. */
export interface Picture {
  readonly version: typeof pictureVersion;
  readonly state: RunState;
  /** Why, where the state alone does not say it: what the run waits for, why it failed. */
  readonly reason: string;
  readonly runId: string;
  readonly facts: RunFacts | null;
  /** The resolved configuration, as in spec.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The last step; null before the first. */
  readonly now: StepNow | null;
  readonly curves: Curves;
  readonly evaluations: readonly EvaluationRecord[];
  /** Workers by name, those that are gone included. */
  readonly lanes: readonly Lane[];
  /** The newest ones, oldest first. */
  readonly log: readonly PublicEvent[];
  readonly skippedSteps: number;
  /** At the end. */
  readonly report: RunReport | null;
}

export type RunState = 'waiting' | 'training' | 'stopping' | 'finished' | 'failed';

export interface RunFacts {
  readonly model: string;
  /** Whether answers are correct or wrong, so that there is an accuracy. */
  readonly hasAccuracy: boolean;
  readonly parameterCount: number;
  readonly engine: string;
  readonly globalBatchSize: number;
  readonly microBatchSize: number;
  readonly stepsTotal: number;
  readonly stepsPerEpoch: number;
  readonly epochsTotal: number;
  readonly out: string;
}

export interface StepNow {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
  readonly learningRate: number;
  readonly gradientNorm: number | null;
  readonly globalBatchSize: number;
  readonly worldSize: number;
  readonly generation: number;
  readonly imagesPerSecond: number;
}

/** Columns of equal length; entry i stands for `stride` steps (the last one perhaps for fewer), of which it is the mean. */
export interface Curves {
  readonly stride: number;
  /** Index of the first entry here: a page that has the others adds these. */
  readonly from: number;
  /** Last step of each entry. */
  readonly step: readonly number[];
  readonly loss: readonly (number | null)[];
  readonly accuracy: readonly (number | null)[];
  readonly imagesPerSecond: readonly number[];
  readonly learningRate: readonly number[];
  readonly gradientNorm: readonly (number | null)[];
  readonly worldSize: readonly number[];
}

export interface Lane {
  /** Stable over restarts. */
  readonly worker: string;
  /** In the current generation; null for one that is not in it. */
  readonly rank: number | null;
  /** Steps between which it was a member; `to` null while it is one. The newest ones. */
  readonly present: readonly { readonly from: number; readonly to: number | null }[];
  /** Added up over the steps that it told of, so many. */
  readonly seconds: PhaseSeconds;
  readonly steps: number;
  /** For whom it waited longest lately; null for nobody. */
  readonly waitsFor: string | null;
  /** Seconds that others waited while its part was the last one to come, added up. */
  readonly waitedForSeconds: number;
  /** The last steps, oldest first, on the coordinator's clock. */
  readonly recent: readonly LaneStep[];
}

/** A step on the common clock: phases follow each other. */
export interface LaneStep {
  readonly step: number;
  readonly beginMs: number;
  /** compute, wait, exchange, update. */
  readonly ms: readonly [number, number, number, number];
}
