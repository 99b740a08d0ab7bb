/** A run's module, loaded and looked at before anything is started. */
import { dirname, resolve } from 'node:path';

import { systemClock, type Clock } from '../core/clock.js';
import type { OwnSetsSpec, RunModuleSpec } from '../core/run-spec.js';
import type { SampleFormat } from '../data/dataset.js';
import { isModelFile } from '../engine/model-file.js';
import { isClassNumber } from '../engine/has-accuracy.js';
import type { ModelDescription } from '../engine/describe-model.js';
import type { ModelSpec } from '../engine/model-spec.js';
import { DataThread } from '../own/data-thread.js';
import { readTimeoutMsOf, type RunDefinition, type SetName } from '../own/definition.js';
import { loadRunModule } from '../own/load-module.js';
import { metricSpecsOf } from '../own/metrics.js';
import { moduleDigest } from '../own/module-digest.js';
import { fault } from './faults.js';
import { sizeOf } from '../core/shape.js';

/** What a run's module says, as far as it can be known without a model. */
export interface OpenedRunModule {
  /** Absolute. */
  readonly path: string;
  readonly sha256: string;
  readonly run: RunDefinition;
  /** What `--dataset` takes, if it says so. */
  readonly dataset: string | undefined;
  /** Its own data sets, else. */
  readonly sets: Omit<OwnSetsSpec, 'classes'> | undefined;
}

/** Loads a run's module. @param file - as somebody gave it @throws LockstepError as `openRunModule` does */
export type OpenModule = (file: string) => Promise<OpenedRunModule>;

/**
 * @param evaluated - what evaluations take, where it is not the set that a run would evaluate
 * @throws LockstepError for the first thing that is wrong with the module or its data
 */
export async function openRunModule(
  file: string,
  clock: Clock = systemClock,
  evaluated?: SetName,
): Promise<OpenedRunModule> {
  const path = resolve(file);
  const sha256 = await moduleDigest(path);
  const run = await loadRunModule(path);
  const { data } = run;
  const dataset = typeof data !== 'string' ? undefined : data === 'mnist' ? data : resolve(dirname(path), data);
  const sets = dataset === undefined ? await describeSets(path, run, clock, evaluated) : undefined;
  return { path, sha256, run, dataset, sets };
}

async function describeSets(
  path: string,
  run: RunDefinition,
  clock: Clock,
  evaluated: SetName | undefined,
): Promise<Omit<OwnSetsSpec, 'classes'>> {
  const readTimeoutMs = readTimeoutMsOf(run);
  const thread = await DataThread.open({ path, readTimeoutMs, evaluated }, clock);
  const { sets, probes } = thread;
  await thread.stop();
  const { train, test } = sets;
  for (const what of ['x', 'y'] as const)
    if (inWords(train[what]) !== inWords(test[what])) {
      const facts = { path, what, set: test.set, actual: inWords(test[what]), expected: inWords(train[what]) };
      throw fault('SETS_DIFFER', facts);
    }
  return { train: { ...train, probe: probes.train }, test: { ...test, probe: probes.test }, readTimeoutMs };
}

/** A model's file or name, as the module says it; undefined where the module builds it. */
export function modelNameIn({ path, run }: OpenedRunModule): string | undefined {
  if (typeof run.model !== 'string') return undefined;
  return isModelFile(run.model) ? resolve(dirname(path), run.model) : run.model;
}

/** @returns undefined where no worker needs the module @throws LockstepError `SAMPLES_DO_NOT_FIT` */
export function moduleSpecOf(
  { path, sha256, sets, run }: OpenedRunModule,
  model: ModelSpec,
  description: ModelDescription,
): RunModuleSpec | undefined {
  const isCode = typeof run.loss === 'function' || metricSpecsOf(run)?.some(({ of }) => of === 'own');
  if (!sets && !isCode) return undefined;
  if (!sets) return { path, sha256 };
  const classes = demandFormats(path, sets.train, model, description);
  return { path, sha256, sets: { ...sets, ...(classes === undefined ? {} : { classes }) } };
}

/** @returns how many classes there are, if labels are classes */
function demandFormats(
  path: string,
  { set, x, y }: { readonly set: string; readonly x: SampleFormat; readonly y: SampleFormat },
  { name: model, loss = 'softmaxCrossEntropy' }: ModelSpec,
  { inputShape, outputs }: ModelDescription,
): number | undefined {
  const no = (what: string, format: SampleFormat, expected: string): Error =>
    fault('SAMPLES_DO_NOT_FIT', { path, set, what, actual: inWords(format), model, expected });
  if (x.shape.join() !== inputShape.join()) throw no('x', x, `[${inputShape.join(', ')}]`);
  if (loss === 'own') return undefined;
  const areClasses = isClassNumber(y);
  if (loss === 'softmaxCrossEntropy') {
    if (!areClasses) throw no('y', y, 'class numbers, [] of int32 or uint8, for softmaxCrossEntropy');
    return outputs;
  }
  if (areClasses && outputs > 1) return outputs;
  const size = sizeOf(y.shape);
  if (size !== outputs) throw no('y', y, `${outputs} values, or class numbers, for ${loss}`);
  return areClasses && loss === 'sigmoidCrossEntropy' ? 2 : undefined;
}

function inWords({ shape, dtype }: SampleFormat): string {
  return `[${shape.join(', ')}] of ${dtype}`;
}
