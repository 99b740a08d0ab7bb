import type { CoordinatorConfig } from '../../config/index.js';
import { LocalExchange } from '../../measure/local-exchange.js';
import { median } from '../../measure/exchange-figures.js';
import { runTrial, type TrialNeeds } from '../trial.js';
import { reached } from '../trial-record.js';
import type { Measured } from './predict.js';

const rounds = 5;

/**
 * A short run of one worker in this process, and then two processes that exchange vectors of its gradient's size.
 *
 * @param config - with one worker
 */
export async function measureForPlan(config: CoordinatorConfig, target: number, needs: TrialNeeds): Promise<Measured> {
  const rules = { patience: { samples: 0, chance: 0 } };
  const trial = await runTrial(config, 'plan', rules, needs);
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
      secondsPerSample: trial.computeSeconds / trial.samples,
      secondsPerStep: (trial.stepSeconds - trial.computeSeconds) / trial.steps,
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
