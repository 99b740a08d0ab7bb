import type { CoordinatorConfig } from '../../config/index.js';
import type { ExchangeTimes } from '../../measure/exchange-participant.js';
import { LocalExchange } from '../../measure/local-exchange.js';
import { runTrial, type TrialNeeds, type TimedOutcome } from '../trial.js';
import { reached } from '../trial-record.js';
import type { Measured } from './predict.js';

const calls = 100;
/** Of which an exchange is measured. */
const participants = 2;
/** Of exchanges between two that compute: as a run does, so that what is slow at first counts as much; not for ever. */
const sharedCalls = { min: 100, max: 2000 };
/** Of computing: with what else a step takes, about twice as long. */
const sharedSecondsMax = 3;

export interface PlanTask {
  /** With one worker. */
  readonly config: CoordinatorConfig;
  readonly target: number;
  /** Whether workers will have a machine in common. */
  readonly isShared: boolean;
}

/**
 * A short run of one worker in this process, and then two processes that exchange vectors of its gradient's size; for
 * workers that share a machine also with a thread in each that computes as long as half a batch takes.
 */
export async function measureForPlan({ config, target, isShared }: PlanTask, needs: TrialNeeds): Promise<Measured> {
  const rules = { patience: { samples: 0, chance: 0 } };
  const trial = await runTrial(config, 'plan', rules, needs);
  const readings = trial.evaluations.flatMap(({ noiseScale }) => noiseScale ?? []);
  const exchange = await LocalExchange.start(participants, { checksum: config.checksum, memory: true });
  try {
    const task = { what: 'all-reduce', topology: config.topology } as const;
    const secondsOf = async (floats: number): Promise<number> =>
      meanSecondsOf((await exchange.measure({ ...task, floats, calls, warmUpCalls: 10 }))[0]!);
    const shared = isShared ? await exchange.measure({ ...task, ...computingOf(trial) }) : undefined;
    const exchangeSeconds = await secondsOf(trial.parameterCount);
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
      exchangeSeconds,
      latencySeconds: await secondsOf(1),
      ...(shared
        ? { sharedExchangeSeconds: Math.max(exchangeSeconds, meanSecondsOf(shared[0]!) - shareSecondsOf(trial)) }
        : {}),
      noiseScale: readings.length > 0 ? readings.reduce((sum, value) => sum + value, 0) / readings.length : undefined,
      stepsToTarget: reached({ ...trial, formatVersion: 1, key: '', axes: {} }, target)?.step,
      target,
    };
  } finally {
    exchange.stop();
  }
}

/** The mean, as the speed of a run is one: what sometimes takes long counts. */
function meanSecondsOf({ milliseconds }: ExchangeTimes): number {
  return milliseconds.reduce((sum, each) => sum + each, 0) / milliseconds.length / 1000;
}

/** What each of the participants would compute of a step. */
function shareSecondsOf({ globalBatchSize, microBatchSize, computeSeconds, samples }: TimedOutcome): number {
  const share = Math.ceil(globalBatchSize / microBatchSize / participants) * microBatchSize;
  return (share * computeSeconds) / samples;
}

function computingOf(trial: TimedOutcome) {
  const seconds = shareSecondsOf(trial);
  const most = Math.min(trial.steps, sharedCalls.max, Math.ceil(sharedSecondsMax / seconds));
  return {
    floats: trial.parameterCount,
    computeMs: seconds * 1000,
    calls: Math.max(sharedCalls.min, most),
    warmUpCalls: 0,
  };
}
