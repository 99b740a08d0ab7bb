import { randomStream } from '../../core/random.js';
import type { FlagValues } from '../../config/sources.js';
import { figureOf, type Figure } from '../summary.js';
import { planTrial, runSweep, type SweepNeeds, type SweepOptions } from '../sweep.js';
import type { TrialRecord } from '../trial-record.js';
import { methods, type MethodName } from './method.js';
import { flagsAt, valueAt, type Dimension } from './space.js';

export interface SearchTask {
  readonly given: FlagValues;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly space: readonly Dimension[];
  /** Trials of each search. */
  readonly trials: number;
  readonly population: number;
  readonly objective: Objective;
}

/** What is made as large, or as small, as it gets: of the last evaluation of a trial. */
export type Objective = 'accuracy' | 'loss';

/** What one search found. */
export interface SearchResult {
  readonly method: MethodName;
  readonly seed: number;
  /** By flag or option. */
  readonly best: Readonly<Record<string, number>>;
  readonly accuracy: number;
  /** Undefined where nobody looked at the test set. */
  readonly testAccuracy: number | undefined;
  readonly loss: number;
  readonly weightsDigest: string;
  /** The best value of the objective after each trial. */
  readonly bestSoFar: readonly number[];
}

/**
 * Runs one search to its end. Trials that the log knows are not run again, so that a search goes on where it stopped.
 *
 * @param secondsLeft - no generation begins when it says 0
 * @returns undefined if there was no time for all of it
 */
export async function runSearch(
  method: MethodName,
  seed: number,
  task: SearchTask,
  options: SweepOptions,
  needs: SweepNeeds,
  secondsLeft: () => number,
): Promise<SearchResult | undefined> {
  const { space, population, trials, objective } = task;
  const random = randomStream(seed, 'search', method);
  const search = methods[method]({ dimensions: space.length, population, random });
  let best: { record: TrialRecord; place: readonly number[]; score: number } | undefined;
  const bestSoFar: number[] = [];
  for (let done = 0; done < trials; done += population) {
    if (secondsLeft() <= 0) return undefined;
    const places = search.propose();
    const planned = places.map((place) =>
      planTrial(flagsAt(task.given, space, place), axesAt(space, place), task.environment),
    );
    const records = await runSweep(planned, { ...options, secondsMax: undefined }, needs);
    const scores = records.map((record) => scoreOf(record, objective));
    search.learn(scores);
    for (const [i, score] of scores.slice(0, trials - done).entries()) {
      if (!best || score > best.score) best = { record: records[i]!, place: places[i]!, score };
      bestSoFar.push(objective === 'loss' ? -best.score : best.score);
    }
  }
  const { record, place } = best!;
  const last = record.evaluations.at(-1);
  return {
    method,
    seed,
    best: Object.fromEntries(space.map((dimension, i) => [dimension.name, valueAt(dimension, place[i]!)])),
    accuracy: last?.accuracy ?? 0,
    testAccuracy: last?.testAccuracy,
    loss: last?.loss ?? Infinity,
    weightsDigest: record.weightsDigest,
    bestSoFar,
  };
}

function axesAt(space: readonly Dimension[], place: readonly number[]): Record<string, string> {
  return Object.fromEntries(space.map((dimension, i) => [dimension.name, String(valueAt(dimension, place[i]!))]));
}

/** The larger the better; what diverged is worse than anything that did not. */
function scoreOf({ end, evaluations }: TrialRecord, objective: Objective): number {
  const last = evaluations.at(-1);
  if (!last || end === 'diverged') return -Infinity;
  const value = objective === 'loss' ? -last.loss : last.accuracy;
  return Number.isFinite(value) ? value : -Infinity;
}

/** A method over all of its seeds. */
export interface MethodFigures {
  readonly method: MethodName;
  readonly searches: number;
  readonly accuracy: Figure;
  readonly loss: Figure;
}

export function compareMethods(results: readonly SearchResult[]): readonly MethodFigures[] {
  return [...new Set(results.map(({ method }) => method))].map((method) => {
    const own = results.filter((result) => result.method === method);
    return {
      method,
      searches: own.length,
      accuracy: figureOf(own.map(({ accuracy }) => accuracy)),
      loss: figureOf(own.map(({ loss }) => loss)),
    };
  });
}
