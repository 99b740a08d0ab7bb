/** What is kept of a trial: everything that tables, curves and recommendations are made from. */
import type { RunSpec } from '../core/run-spec.js';
import { fault } from './faults.js';

/** What a trial was when somebody looked at its accuracy. */
export interface TrialEvaluation {
  readonly step: number;
  /** Passes over the training data so far, with parts of one. */
  readonly epochs: number;
  /** Training only: evaluations and preparation take none of it. */
  readonly seconds: number;
  /** Of the held-out samples, or of the test set where nothing is held out. */
  readonly loss: number;
  readonly accuracy: number;
  /** Absent where samples are held out and nobody looked at the test set as well. */
  readonly testAccuracy?: number;
  /** Samples of the step before. */
  readonly batch: number;
  /** In samples; absent while nothing is known of it. */
  readonly noiseScale?: number;
}

/**
 * Why a trial ended: at its planned end, at the highest target, as hopeless (no better than guessing for too long), since
 * its loss or gradient was not finite any more, or because its time was over.
 */
export type TrialEnd = 'finished' | 'target' | 'hopeless' | 'diverged' | 'time';

export interface TrialRecord {
  readonly formatVersion: 1;
  /** Of everything that decides the result: the same command finds its trial again. */
  readonly key: string;
  /** What the grid varies, by flag: `{"global-batch": "256", "seed": "1"}`. */
  readonly axes: Readonly<Record<string, string>>;
  readonly end: TrialEnd;
  /** Limit on the seconds of training, where there was one. */
  readonly secondsMax?: number;
  readonly workers: number;
  /** Samples of the first step. */
  readonly globalBatchSize: number;
  readonly microBatchSize: number;
  readonly learningRate: number;
  readonly engine: string;
  readonly trainLength: number;
  readonly parameterCount: number;
  readonly steps: number;
  readonly samples: number;
  readonly seconds: number;
  /** Engine time of the slowest worker, summed over steps; of a trial in this process. */
  readonly computeSeconds?: number;
  /** The same for whole steps, as a run's images per second count them. */
  readonly stepSeconds?: number;
  readonly weightsDigest: string;
  readonly evaluations: readonly TrialEvaluation[];
}

/** The first evaluation that reaches an accuracy. */
export function reached(trial: TrialRecord, target: number): TrialEvaluation | undefined {
  return trial.evaluations.find(({ accuracy }) => accuracy >= target);
}

/** The first of the evaluations with the highest accuracy on the held-out samples. */
export function bestOf(trial: TrialRecord): TrialEvaluation | undefined {
  return trial.evaluations.reduce<TrialEvaluation | undefined>(
    (best, evaluation) => (best && best.accuracy >= evaluation.accuracy ? best : evaluation),
    undefined,
  );
}

/** Trials are compared by their accuracy. @throws LockstepError `TRIAL_WITHOUT_ACCURACY` for a run that has none */
export function demandAccuracy({ hasAccuracy, model: { name: model, loss = 'softmaxCrossEntropy' } }: RunSpec): void {
  if (hasAccuracy === false) throw fault('TRIAL_WITHOUT_ACCURACY', { model, loss });
}
