import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../core/atomic-file.js';
import { systemClock } from '../../core/clock.js';
import type { RunReport } from '../../core/events.js';
import type { FlagValues } from '../../config/sources.js';
import { fault } from '../../lab/faults.js';
import { measureForPlan } from '../../lab/plan/measure.js';
import { diminishingFrom, plan, predictionFor, type Measured, type Prediction } from '../../lab/plan/predict.js';
import { SharedData } from '../../lab/shared-data.js';
import { planTrial } from '../../lab/sweep.js';
import { tableText } from '../../lab/table.js';
import type { CommandContext } from '../context.js';
import { number, wholeNumber } from '../lab-options.js';

export interface PlanFlags {
  readonly targetAccuracy?: string;
  readonly maxWorkers?: string;
  readonly cores?: string;
  readonly out?: string;
  readonly from?: string;
  readonly compare?: string;
  readonly json?: boolean;
}

/** `lockstep plan`: one short run, and what it says about more workers; or a plan beside a run that followed it. */
export async function run(flags: PlanFlags, given: FlagValues, { stdout, environment }: CommandContext): Promise<void> {
  const cores = flags.cores === undefined ? Infinity : number('--cores', flags.cores);
  const measured = flags.from === undefined ? await measure() : await readPlan(flags.from);
  if (flags.compare !== undefined) return compare(measured, flags.compare, cores, flags.json ?? false, stdout);
  const most = wholeNumber('--max-workers', flags.maxWorkers ?? '64');
  const counts: number[] = [];
  for (let count = 1; count <= most; count *= 2) counts.push(count);
  const predictions = plan(measured, counts, cores);
  const limit = diminishingFrom(predictions);
  const report = { formatVersion: 1, measured, predictions, diminishingFrom: limit };
  if (flags.out !== undefined)
    await writeFileAtomically(flags.out, [Buffer.from(`${JSON.stringify(report, undefined, 1)}\n`)]);
  stdout.write(
    flags.json ? `${JSON.stringify({ type: 'result', ...report })}\n` : inWords(measured, predictions, limit, cores),
  );

  async function measure(): Promise<Measured> {
    const target = number('--target-accuracy', flags.targetAccuracy ?? '0.98');
    const all: FlagValues = new Map([...given, ['workers', '1'] as const, ['targetAccuracy', String(target)] as const]);
    const { config } = planTrial(all, {}, environment);
    const nowMs = (): number => systemClock.nowMs();
    const task = { config, target, isShared: Number.isFinite(cores) };
    return measureForPlan(task, { data: new SharedData(), threads: 1, nowMs });
  }
}

function inWords(m: Measured, predictions: readonly Prediction[], limit: number, cores: number): string {
  const hasSteps = m.stepsToTarget !== undefined;
  const rows = predictions.map(({ workers, batch, learningRate, secondsPerStep, imagesPerSecond, steps, seconds }) => [
    String(workers),
    String(batch),
    learningRate.toPrecision(3),
    (secondsPerStep * 1000).toFixed(2),
    imagesPerSecond.toFixed(0),
    hasSteps ? steps.toFixed(0) : `${(steps * 100).toFixed(0)} %`,
    hasSteps ? seconds.toFixed(1) : `${((seconds / predictions[0]!.seconds) * 100).toFixed(0)} %`,
  ]);
  const heading = ['workers', 'batch', 'learning rate', 'ms a step', 'images/s', 'steps', 'seconds to target'];
  const noise = m.noiseScale === undefined ? 'not seen: the run was too short' : `${m.noiseScale.toFixed(0)} samples`;
  return [
    `Measured with one worker and batches of ${m.globalBatchSize}: ${(1 / m.secondsPerSample).toFixed(0)} images/s of compute, ${(m.secondsPerStep * 1000).toFixed(2)} ms a step beside; an exchange of two takes ${(m.exchangeSeconds * 1000).toFixed(2)} ms; gradient noise scale ${noise}.`,
    hasSteps
      ? `${m.target} was reached after ${m.stepsToTarget} steps.`
      : `${m.target} was not reached: steps and times are relative. A longer run would say more (--epochs).`,
    ...sharingInWords(m, cores),
    '',
    tableText({ heading, rows }),
    limit === predictions.at(-1)!.workers
      ? `Up to ${limit} workers, twice as many save at least a fifth of the time.`
      : `Above ${limit} ${limit === 1 ? 'worker' : 'workers'}, twice as many save less than a fifth of the time.`,
    '',
  ].join('\n');
}

/** What it costs that workers share a machine, which machines of their own would not pay. */
function sharingInWords({ sharedExchangeSeconds }: Measured, cores: number): readonly string[] {
  if (!Number.isFinite(cores)) return [];
  if (sharedExchangeSeconds === undefined)
    return ['How workers that share a machine disturb each other was not measured: plan with --cores.'];
  return [
    `Workers share ${cores} ${cores === 1 ? 'core' : 'cores'}: while two compute there, their exchange takes ${(sharedExchangeSeconds * 1000).toFixed(2)} ms; more than ${cores} take turns.`,
  ];
}

/** @throws LockstepError `PLAN_UNREADABLE` */
async function readPlan(path: string): Promise<Measured> {
  const { measured } = (await readJson(path)) as { measured?: Measured };
  if (!measured) throw fault('PLAN_UNREADABLE', { path, reason: 'it is no plan' });
  return measured;
}

async function compare(
  measured: Measured,
  folder: string,
  cores: number,
  json: boolean,
  stdout: NodeJS.WriteStream,
): Promise<void> {
  const path = join(folder, 'report.json');
  const report = (await readJson(path)) as Partial<RunReport>;
  const { worldSize, globalBatchSize, imagesPerSecond } = report;
  if (!worldSize || !globalBatchSize || !imagesPerSecond)
    throw fault('PLAN_UNREADABLE', { path, reason: 'it is no report of a run' });
  const predicted = predictionFor(measured, worldSize, globalBatchSize, cores);
  const ratio = predicted.imagesPerSecond / imagesPerSecond;
  const line = {
    type: 'comparison',
    worldSize,
    globalBatchSize,
    predicted: predicted.imagesPerSecond,
    imagesPerSecond,
    ratio,
  };
  const off = `${Math.abs((ratio - 1) * 100).toFixed(1)} % too ${ratio > 1 ? 'much' : 'little'}`;
  stdout.write(
    json
      ? `${JSON.stringify(line)}\n`
      : `${worldSize} workers, batches of ${globalBatchSize}: predicted ${predicted.imagesPerSecond.toFixed(0)} images/s, measured ${imagesPerSecond.toFixed(0)}: ${off}.\n`,
  );
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw fault('PLAN_UNREADABLE', { path, reason: (error as Error).message }, error);
  }
}
