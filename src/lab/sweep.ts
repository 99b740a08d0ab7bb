import { createHash } from 'node:crypto';
import { loadConfig, specOf, type CoordinatorConfig } from '../config/index.js';
import type { FlagValues } from '../config/sources.js';
import { numericsVersion } from '../core/versions.js';
import { gridOf } from './grid.js';
import { runTrial, type TrialNeeds, type TrialOutcome, type TrialRules } from './trial.js';
import type { TrialLog } from './trial-log.js';
import type { TrialEvaluation, TrialRecord } from './trial-record.js';

export interface PlannedTrial {
  readonly key: string;
  readonly axes: Readonly<Record<string, string>>;
  /** What a coordinator would be given for it. */
  readonly flags: FlagValues;
  readonly config: CoordinatorConfig;
}

/**
 * Every trial of a grid, checked as `lockstep train` checks its options, before the first of them starts.
 *
 * @param target - where a trial ends, if it is to end there
 * @throws LockstepError for what is wrong with the grid or with one of its points
 */
export function planSweep(
  given: FlagValues,
  environment: Readonly<Record<string, string | undefined>>,
  target: number | undefined,
): readonly PlannedTrial[] {
  const aim = target === undefined ? [] : [['targetAccuracy', String(target)] as const];
  return gridOf(given).map(({ flags, axes }) => planTrial(new Map([...flags, ...aim]), axes, environment));
}

/** @throws LockstepError as `loadConfig` does */
export function planTrial(
  flags: FlagValues,
  axes: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
): PlannedTrial {
  const workers = flags.has('workers') ? [] : [['workers', '1'] as const];
  const all: FlagValues = new Map([...flags, ['checkpointEvery', 'off'] as const, ...workers]);
  const { config } = loadConfig('coordinator', { flags: all, environment });
  return { key: keyOf(config), axes, flags: all, config };
}

/** Of everything that decides a trial's result. */
export function keyOf(config: CoordinatorConfig): string {
  const text = JSON.stringify([numericsVersion, specOf(config)]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Carries a trial out. @param onEvaluation - told of each as it comes */
export type Train = (
  trial: PlannedTrial,
  rules: TrialRules,
  onEvaluation: (evaluation: TrialEvaluation) => void,
) => Promise<TrialOutcome>;

/** In this process. */
export function trainHere(needs: TrialNeeds): Train {
  return ({ config, key }, rules, onEvaluation) => runTrial(config, key, rules, needs, onEvaluation);
}

export interface SweepNeeds {
  readonly train: Train;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly log: Pick<TrialLog, 'get' | 'add'>;
  readonly events: SweepEvents;
}

export interface SweepEvents {
  started(trial: PlannedTrial, place: number): void;
  evaluated(trial: PlannedTrial, evaluation: TrialEvaluation): void;
  ended(trial: PlannedTrial, record: TrialRecord): void;
}

export interface SweepOptions {
  /** Trials at a time. */
  readonly slots: number;
  readonly rules: TrialRules;
  /** No trial begins later than so many seconds after the first. */
  readonly secondsMax?: number | undefined;
}

/**
 * Runs what is not done yet. A trial that was cut off by time is done again only with more of it.
 *
 * @returns the records of all planned trials that are done, in the order of the plan
 */
export async function runSweep(
  planned: readonly PlannedTrial[],
  { slots, rules, secondsMax = Infinity }: SweepOptions,
  needs: SweepNeeds,
): Promise<readonly TrialRecord[]> {
  const { train, log, events, nowMs } = needs;
  const keys = planned.map(({ key }) => key);
  const waiting = planned.filter(({ key }, i) => keys.indexOf(key) === i && !isDone(log.get(key), rules));
  const beginMs = nowMs();
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      if ((nowMs() - beginMs) / 1000 > secondsMax) return;
      const trial = next;
      events.started(trial, planned.indexOf(trial));
      const outcome = await train(trial, rules, (e) => events.evaluated(trial, e));
      const record: TrialRecord = { formatVersion: 1, key: trial.key, axes: trial.axes, ...outcome };
      await log.add(record);
      events.ended(trial, record);
    }
  };
  await Promise.all(Array.from({ length: slots }, work));
  return planned.flatMap(({ key, axes }) => {
    const record = log.get(key);
    return record ? [{ ...record, axes }] : [];
  });
}

function isDone(record: TrialRecord | undefined, { secondsMax = Infinity }: TrialRules): boolean {
  if (!record) return false;
  return record.end !== 'time' || secondsMax <= (record.secondsMax ?? Infinity);
}
