import { createReadStream } from 'node:fs';
import type { CoordinatorConfig } from '../config/index.js';
import { isLoopback } from '../core/address.js';
import { sha256 } from '../core/digest.js';
import type { ParameterLayout } from '../core/layout.js';
import type { Blob, DatasetFile, RunSpec } from '../core/run-spec.js';
import { readIdxContent } from '../data/idx.js';
import { defaultDataset, resolveDataset, type ResolvedDataset } from '../data/sources.js';
import { describeModel, type ModelDescription } from '../engine/describe-model.js';
import { classNumbers, hasAccuracy } from '../engine/has-accuracy.js';
import type { ModelSpec } from '../engine/model-spec.js';
import { ownLossOf } from '../engine/own-loss-options.js';
import type { MetricOptions } from '../engine/metric-options.js';
import { fault as ownFault } from '../own/faults.js';
import { metricSpecsOf } from '../own/metrics.js';
import { packModule } from '../own/shipped-module.js';
import { createOptimizer } from '../optim/registry.js';
import { parseSchedule } from '../optim/schedule-text.js';
import type { FoundCheckpoint } from '../store/checkpoints.js';
import { fault } from './faults.js';
import { demandOutputs, prepareModel, readInitialWeights } from './prepare-model.js';
import { readBatchHistory } from './replay.js';
import { moduleSpecOf, openRunModule, type OpenModule } from './run-module.js';
import { runSpecOf } from './run-spec.js';

/** A run that can start: everything that the configuration names was found and fits together. */
export interface PreparedSpec {
  readonly spec: RunSpec;
  readonly layout: ParameterLayout;
  /** The layer that no plan covers, and why, if there is one: our own kernels run none of the model then. */
  readonly gap?: string;
  /** What workers may ask for, by SHA-256, in chunks. */
  readBlob(sha256: string): AsyncIterable<Uint8Array> | undefined;
}

/** A run whose coordinator is gone while its workers go on. */
export interface Predecessor {
  readonly spec: RunSpec;
  /** File of the checkpoint from which that run was resumed, if it was, and the file is here. */
  readonly resumedFrom: string | undefined;
}

/** How what a configuration names is found, where it is not the usual way. */
export interface Finding {
  readonly findDataset?: typeof resolveDataset | undefined;
  readonly openModule?: OpenModule | undefined;
}

const chunkBytes = 1024 * 1024;

/**
 * Reads and checks everything that a configuration names, before anything is started or written.
 *
 * @param checkpoint - where the run goes on, if it is resumed
 * @param finding - `findDataset`: for those who start many runs on one data set; `openModule`: for a run that is not all in
 *   a module
 * @throws LockstepError for the first thing that is wrong, by its name
 */
export async function prepareSpec(
  config: CoordinatorConfig,
  runId: string,
  checkpoint?: FoundCheckpoint,
  { findDataset = resolveDataset, openModule = openRunModule }: Finding = {},
): Promise<PreparedSpec> {
  createOptimizer(config.optimizer, config.optimizerOptions);
  parseSchedule(config.learningRateSchedule);
  const begunWith = checkpoint && (JSON.parse(checkpoint.runSpec) as RunSpec);
  const module = config.module === undefined ? undefined : await openModule(config.module);
  const { model, description, init } = await prepareModel(config, begunWith, module);
  const { layout, gap } = description;
  const needed = module && moduleSpecOf(module, model, description);
  const shipment = needed && config.ship ? await shipmentOf(config, needed.path) : undefined;
  const ownModule = needed && { ...needed, ...(shipment ? { shipped: shipment.blob } : {}) };
  const labels = ownModule?.sets?.train.y ?? classNumbers;
  const metrics = module && metricSpecsOf(module.run);
  if (metrics) await tryMetrics(model, { metrics, path: module.path, labels });
  const dataset = module?.dataset ?? config.dataset ?? defaultDataset;
  const { files, trainLength, testLength } = ownModule?.sets
    ? { files: [], trainLength: ownModule.sets.train.length, testLength: ownModule.sets.test.length }
    : prepareImages(dataset, await findDataset(dataset), model, description);
  const replayed = config.replay === undefined ? undefined : await readBatchHistory(config.replay);
  const paths = new Map(files.map((file) => [file.sha256, file.path]));
  const begun = {
    runId,
    model,
    files: files.map(({ role, bytes, sha256 }) => ({ role, bytes, sha256 })),
    trainLength,
    testLength,
    hasAccuracy: begunWith ? begunWith.hasAccuracy !== false : hasAccuracy(model, description, labels),
    metrics,
    ...(ownModule ? { module: ownModule } : {}),
    init: init && { sha256: init.sha256, bytes: init.content.length },
    resume: checkpoint && { sha256: checkpoint.sha256, bytes: checkpoint.bytes },
    begunWith,
    batchHistory: begunWith?.batchHistory ?? replayed,
  };
  const spec = runSpecOf(config, begun);
  return {
    spec,
    layout,
    ...(gap === undefined ? {} : { gap }),
    readBlob(wanted) {
      if (wanted === init?.sha256) return chunksOf(init.content);
      if (wanted === shipment?.blob.sha256) return chunksOf(shipment.content);
      if (wanted === spec.resume?.sha256 && checkpoint)
        return createReadStream(checkpoint.path, { highWaterMark: chunkBytes });
      const path = paths.get(wanted);
      return path === undefined ? undefined : contentOf(path);
    },
  };
}

/**
 * A run that is taken over: its spec stands, and its members wait. They have their data; it is read again, which takes
 * longer than everything else here, when somebody who joins asks for it.
 *
 * @throws LockstepError as `readInitialWeights` does
 */
export async function takeOver(config: CoordinatorConfig, predecessor: Predecessor): Promise<PreparedSpec> {
  const { spec, resumedFrom } = predecessor;
  const { layout, gap } = await describeModel(spec.model, config.engine, spec.module && ownLossOf(spec.module));
  const init = spec.init && (await readInitialWeights(config, layout));
  const shipment = spec.module?.shipped && (await shipmentOf(config, config.module ?? spec.module.path));
  let paths: Promise<ReadonlyMap<string, string>> | undefined;
  const fileOf = async (wanted: string): Promise<string> => {
    paths ??= pathsOf(config, spec);
    try {
      return (await paths).get(wanted)!;
    } catch (error) {
      paths = undefined; //                                           it may be put right
      throw error;
    }
  };
  return {
    spec,
    layout,
    ...(gap === undefined ? {} : { gap }),
    readBlob(wanted) {
      if (wanted === init?.sha256) return chunksOf(init.content);
      if (wanted === shipment?.blob.sha256) return chunksOf(shipment.content);
      if (wanted === spec.resume?.sha256 && resumedFrom !== undefined)
        return createReadStream(resumedFrom, { highWaterMark: chunkBytes });
      const isData = spec.dataset.files.some(({ sha256 }) => sha256 === wanted);
      return isData ? contentOf(fileOf(wanted)) : undefined;
    },
  };
}

/** The module as it is offered to workers. @throws LockstepError `MODULE_NOT_SHIPPED` */
async function shipmentOf(
  { insecure, listen }: CoordinatorConfig,
  path: string,
): Promise<{ readonly blob: Blob; readonly content: Buffer }> {
  if (insecure && !isLoopback(listen))
    throw ownFault('MODULE_NOT_SHIPPED', { path, reason: `--insecure lets anybody between change it, on ${listen}` });
  const content = await packModule(path);
  return { blob: { sha256: sha256(content), bytes: content.length }, content };
}

/** What is wrong with a metric is found here, and not in the first evaluation. @throws LockstepError `LOSS_MALFORMED` */
async function tryMetrics(model: ModelSpec, options: MetricOptions): Promise<void> {
  const { Metrics } = await import('../engine/op-by-op/metrics.js');
  const metrics = await Metrics.create(model, options);
  metrics.rehearse();
  metrics.dispose();
}

/** Images that Lockstep reads itself. @throws LockstepError `DATASET_DOES_NOT_FIT`, `LABELS_DO_NOT_FIT` */
function prepareImages(
  dataset: string,
  { files, train, test }: ResolvedDataset,
  model: ModelSpec,
  description: ModelDescription,
) {
  const shape = [train.rows, train.columns, train.channels];
  const { inputShape: expected } = description;
  if (expected.join() !== shape.join())
    throw fault('DATASET_DOES_NOT_FIT', { dataset, shape, model: model.name, expected });
  for (const { labels } of [train, test]) demandOutputs(dataset, labels, model, description);
  return { files, trainLength: train.count, testLength: test.count };
}

/** Where the files of a run's data set are, by SHA-256. @throws LockstepError `RESTORE_CHANGED`, and as `resolveDataset` does */
async function pathsOf(config: CoordinatorConfig, spec: RunSpec): Promise<ReadonlyMap<string, string>> {
  const { dataset } = config.module === undefined ? config : await openRunModule(config.module);
  const { files } = await resolveDataset(dataset ?? defaultDataset);
  checkSameData(spec, files);
  return new Map(files.map((file) => [file.sha256, file.path]));
}

function checkSameData({ dataset }: RunSpec, found: readonly DatasetFile[]): void {
  for (const { role, sha256: was } of dataset.files) {
    const is = found.find((file) => file.role === role)?.sha256 ?? 'missing';
    if (was !== is) throw fault('RESTORE_CHANGED', { what: `${role} of the data set`, was, is });
  }
}

async function* contentOf(path: string | Promise<string>): AsyncIterable<Uint8Array> {
  const content = await readIdxContent(await path); //                      unpacked, if the file is .gz
  yield* chunksOf(Buffer.from(content.buffer, content.byteOffset, content.byteLength));
}

async function* chunksOf(content: Buffer): AsyncIterable<Uint8Array> {
  for (let at = 0; at < content.length; at += chunkBytes) yield Buffer.from(content.subarray(at, at + chunkBytes));
}
