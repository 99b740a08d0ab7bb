import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { factsOf, type FlagValues } from '../config/sources.js';
import type { StepRecord } from '../core/events.js';
import { packageRoot } from '../core/paths.js';
import { readLines } from '../store/line-file.js';
import { fault } from './faults.js';

type Seconds = StepRecord['seconds'];

/**
 * How workers compute that share a machine: they have its cores in common, which they take turns on with their
 * coordinators, its memory and its caches; and nobody waits for another.
 */
export interface SideBySide {
  readonly secondsPerSample: number;
  readonly secondsPerStep: number;
  /** How the times of compute lie around their mean, which is 1: quantiles, ascending. */
  readonly spread: readonly number[];
}

/** Of the steps of each run, since the others may not have begun, and kernels and caches are cold. */
const leftOut = 0.25;
const quantiles = 50;

/**
 * Several runs of one worker at a time, with all the processes that a run has, and nothing to do with one another.
 *
 * @param flags - what `lockstep train` is given for each
 * @param samples - of a step
 * @throws LockstepError `PLAN_PROCESS_FAILED`
 */
export async function measureSideBySide(flags: FlagValues, samples: number, count: number): Promise<SideBySide> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-plan-'));
  try {
    const outs = Array.from({ length: count }, (_, i) => join(folder, String(i)));
    return sideBySideOf(await Promise.all(outs.map((out) => stepsOfRun(flags, out))), samples);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function stepsOfRun(flags: FlagValues, out: string): Promise<readonly Seconds[]> {
  const words = [...flags].flatMap(([name, value]) => {
    const flag = `--${factsOf(name).flag}`;
    if (typeof value === 'boolean') return value ? [flag] : [];
    return [value].flat().flatMap((each) => [flag, each]);
  });
  const program = join(packageRoot, 'bin', 'lockstep.js');
  const args = [program, 'train', ...words, '--out', out, '--metrics-port', '0', '--log-level', 'error'];
  try {
    await promisify(execFile)(process.execPath, args);
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw fault('PLAN_PROCESS_FAILED', { reason: stderr?.trim().split('\n')[0] ?? message }, error);
  }
  const steps: Seconds[] = [];
  for await (const line of readLines(join(out, 'metrics.jsonl'))) {
    const { seconds, sampleCount } = line as Partial<StepRecord>;
    if (seconds && sampleCount !== undefined) steps.push(seconds);
  }
  return steps;
}

/** @param runs - the steps of each @param samples - of a step */
export function sideBySideOf(runs: readonly (readonly Seconds[])[], samples: number): SideBySide {
  const steps = runs.flatMap((each) => each.slice(Math.floor(each.length * leftOut)));
  const compute = meanOf(steps.map((step) => step.compute));
  const ascending = steps.map((step) => step.compute / compute).sort((a, b) => a - b);
  const count = Math.min(quantiles, ascending.length);
  return {
    secondsPerSample: compute / samples,
    secondsPerStep: meanOf(steps.map(({ wait, exchange, update }) => wait + exchange + update)),
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
