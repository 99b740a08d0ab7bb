import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CoordinatorConfig } from '../config/index.js';
import { fault } from './faults.js';
import type { FromNeighbour, ToNeighbour } from './side-by-side-main.js';

/** Seconds of one step. */
export interface StepTimes {
  readonly compute: number;
  readonly beside: number;
}

/** How workers compute that share a machine: they have its memory and its caches in common, and nobody waits for another. */
export interface SideBySide {
  readonly secondsPerSample: number;
  readonly secondsPerStep: number;
  /** How the times of compute lie around their mean, which is 1: quantiles, ascending. */
  readonly spread: readonly number[];
}

/** Of the steps of each process, since the others may not have begun, and kernels and caches are cold. */
const leftOut = 0.25;
const secondsMax = 4;
const quantiles = 50;

/**
 * Several trainings of one worker at a time, each in a process of its own, that have nothing to do with one another.
 *
 * @param config - of each; it is trained for a few seconds, whatever it says of its end
 * @throws LockstepError `PLAN_PROCESS_FAILED`
 */
export async function measureSideBySide(config: CoordinatorConfig, processes: number): Promise<SideBySide> {
  const endless = { ...config, targetAccuracy: undefined, evaluateEvery: { every: 1_000_000, unit: 'step' as const } };
  const found = await Promise.all(Array.from({ length: processes }, () => stepsOfOne({ config: endless, secondsMax })));
  const samples = typeof config.globalBatchSize === 'number' ? config.globalBatchSize : 1;
  return sideBySideOf(found, samples);
}

/** @param samples - of a step */
export function sideBySideOf(found: readonly (readonly StepTimes[])[], samples: number): SideBySide {
  const steps = found.flatMap((each) => each.slice(Math.floor(each.length * leftOut)));
  const compute = meanOf(steps.map((step) => step.compute));
  const ascending = steps.map((step) => step.compute / compute).sort((a, b) => a - b);
  const count = Math.min(quantiles, ascending.length);
  return {
    secondsPerSample: compute / samples,
    secondsPerStep: meanOf(steps.map(({ beside }) => beside)),
    spread: Array.from({ length: count }, (_, i) => {
      const [first, end] = [i, i + 1].map((place) => Math.round((place * ascending.length) / count));
      return meanOf(ascending.slice(first, end));
    }),
  };
}

/** Of N steps that begin together, how much longer than the mean one the last takes: the mean of the largest of N. */
export function slowestOf(spread: readonly number[], workers: number): number {
  const count = spread.length;
  return spread.reduce((sum, time, i) => sum + time * (((i + 1) / count) ** workers - (i / count) ** workers), 0);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function stepsOfOne(task: ToNeighbour): Promise<readonly StepTimes[]> {
  const child = fork(fileURLToPath(new URL('./side-by-side-main.js', import.meta.url)), { serialization: 'advanced' });
  return new Promise<readonly StepTimes[]>((resolve, reject) => {
    child.once('message', (answer: FromNeighbour) => {
      if ('steps' in answer) resolve(answer.steps);
      else reject(fault('PLAN_PROCESS_FAILED', { reason: answer.error }));
    });
    child.once('exit', (code, signal) =>
      reject(fault('PLAN_PROCESS_FAILED', { reason: `it ended with ${signal ?? code}` })),
    );
    child.send(task);
  }).finally(() => {
    if (child.connected) child.disconnect();
  });
}
