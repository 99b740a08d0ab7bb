import type { CoordinatorConfig } from '../../config/index.js';
import type { FlagValues } from '../../config/sources.js';
import { LocalExchange } from '../../measure/local-exchange.js';
import { measureSideBySide } from '../side-by-side.js';
import { runTrial, type TrialNeeds, type TimedOutcome } from '../trial.js';
import { reached } from '../trial-record.js';
import type { Measured } from './predict.js';

const calls = 100;
/** Runs at a time, for workers that share a machine, and how long about they train. */
const runsAtATime = 2;
const secondsSideBySide = 4;
const stepsSideBySide = { min: 40, max: 4000 };

export interface PlanTask {
  /** With one worker. */
  readonly config: CoordinatorConfig;
  /** Of which the configuration was made. */
  readonly given: FlagValues;
  readonly target: number;
  /** Whether workers will have a machine in common. */
  readonly isShared: boolean;
}

/**
 * A short run of one worker in this process, and then two processes that exchange vectors of its gradient's size; for
 * workers that share a machine also two runs at a time, of half a batch each.
 */
export async function measureForPlan(
  { config, given, target, isShared }: PlanTask,
  needs: TrialNeeds,
): Promise<Measured> {
  const rules = { patience: { samples: 0, chance: 0 } };
  const trial = await runTrial(config, 'plan', rules, needs);
  const sideBySide = isShared ? await besideAnother(given, trial) : undefined;
  const readings = trial.evaluations.flatMap(({ noiseScale }) => noiseScale ?? []);
  const exchange = await LocalExchange.start(2, { checksum: config.checksum, memory: true });
  try {
    // The mean, as the speed of a run is one: what sometimes takes long counts.
    const secondsOf = async (floats: number): Promise<number> => {
      const task = { what: 'all-reduce', floats, topology: config.topology, calls, warmUpCalls: 10 } as const;
      const { milliseconds } = (await exchange.measure(task))[0]!;
      return milliseconds.reduce((sum, each) => sum + each, 0) / milliseconds.length / 1000;
    };
    return {
      trainLength: trial.trainLength,
      globalBatchSize: trial.globalBatchSize,
      microBatchSize: trial.microBatchSize,
      learningRate: config.learningRate,
      optimizer: { name: config.optimizer, options: config.optimizerOptions },
      scaling: config.learningRateScaling === 'none' ? 'auto' : config.learningRateScaling,
      ...(config.learningRateMax === undefined ? {} : { learningRateMax: config.learningRateMax }),
      secondsPerSample: trial.computeSeconds / trial.samples,
      secondsPerStep: (trial.stepSeconds - trial.computeSeconds) / trial.steps,
      ...(sideBySide ? { sideBySide } : {}),
      exchangeSeconds: await secondsOf(trial.parameterCount),
      latencySeconds: await secondsOf(1),
      noiseScale: readings.length > 0 ? readings.reduce((sum, value) => sum + value, 0) / readings.length : undefined,
      stepsToTarget: reached({ ...trial, formatVersion: 1, key: '', axes: {} }, target)?.step,
      target,
    };
  } finally {
    exchange.stop();
  }
}

/** With the share that each of two workers has of a batch, and nothing but steps. */
function besideAnother(given: FlagValues, trial: TimedOutcome) {
  const { globalBatchSize, microBatchSize, computeSeconds, samples } = trial;
  const share = Math.ceil(globalBatchSize / microBatchSize / runsAtATime) * microBatchSize;
  const fitting = Math.ceil((secondsSideBySide * samples) / (computeSeconds * share));
  const steps = Math.min(stepsSideBySide.max, Math.max(stepsSideBySide.min, fitting));
  const flags = new Map(given);
  for (const name of ['epochs', 'targetAccuracy', 'batchPerWorker', 'batchGrowth'] as const) flags.delete(name);
  flags.set('steps', String(steps));
  flags.set('evaluateEvery', `${stepsSideBySide.max}steps`);
  flags.set('checkpointEvery', 'off');
  flags.set('globalBatchSize', String(share));
  flags.set('microBatchSize', String(microBatchSize));
  flags.set('workers', '1');
  flags.set('threads', '1');
  return measureSideBySide(flags, share, runsAtATime);
}
