import type { CoordinatorConfig } from '../../config/index.js';
import { LocalExchange } from '../../measure/local-exchange.js';
import { median } from '../../measure/exchange-figures.js';
import { runTrial, type TrialNeeds } from '../trial.js';
import { reached } from '../trial-record.js';
import type { Measured } from './predict.js';
import { measureSideBySide } from '../side-by-side.js';

const rounds = 5;
/** Trainings at a time, for workers that share a machine. */
const processes = 2;

/**
 * A short run of one worker in this process, and then two processes that exchange vectors of its gradient's size; for
 * workers that share a machine also two trainings at a time, of half a batch each.
 *
 * @param config - with one worker
 */
export async function measureForPlan(
  config: CoordinatorConfig,
  target: number,
  isShared: boolean,
  needs: TrialNeeds,
): Promise<Measured> {
  const rules = { patience: { samples: 0, chance: 0 } };
  const trial = await runTrial(config, 'plan', rules, needs);
  const micros = Math.ceil(trial.globalBatchSize / trial.microBatchSize / processes);
  const share = { ...config, globalBatchSize: micros * trial.microBatchSize, microBatchSize: trial.microBatchSize };
  const sideBySide = isShared ? await measureSideBySide(share, processes) : undefined;
  const readings = trial.evaluations.flatMap(({ noiseScale }) => noiseScale ?? []);
  const exchange = await LocalExchange.start(2, { checksum: config.checksum, memory: true });
  try {
    const secondsOf = async (floats: number): Promise<number> => {
      const task = { what: 'all-reduce', floats, topology: config.topology, calls: 20, warmUpCalls: 5 } as const;
      const times: number[] = [];
      for (let round = 0; round < rounds; round++) times.push(median((await exchange.measure(task))[0]!.milliseconds));
      return median(times) / 1000;
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
