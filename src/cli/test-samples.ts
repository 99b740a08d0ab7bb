/** What a trained model is tested on: by default what its run evaluated, as spec.json in the run's folder says. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileLayer } from '../config/sources.js';
import type { FieldName } from '../config/schema.js';
import { moduleSpecOf, openRunModule, type OpenedRunModule } from '../coordinator/run-module.js';
import { systemClock } from '../core/clock.js';
import type { OwnSetsSpec } from '../core/run-spec.js';
import type { SampleFormat } from '../data/dataset.js';
import { imagesDataset } from '../data/encoded-images.js';
import { defaultDataset, resolveDataset } from '../data/sources.js';
import { describeModel } from '../engine/describe-model.js';
import type { TestSamples } from '../engine/evaluate-trained.js';
import { ResidentFeed } from '../engine/feeds/resident-feed.js';
import { sampleSourceOf } from '../engine/feeds/sample-source.js';
import { StreamedFeed } from '../engine/feeds/streamed-feed.js';
import { classNumbers } from '../engine/has-accuracy.js';
import type { TrainedModel } from '../engine/trained-model.js';
import { DataThread } from '../own/data-thread.js';
import type { SetName } from '../own/definition.js';
import { metricSpecsOf } from '../own/metrics.js';
import { cliFault } from './faults.js';

/** Where samples are taken from, as somebody says it. */
export interface WantedSamples {
  /** A run's module. */
  readonly module?: string | undefined;
  /** As `--dataset` has it; instead of the data of a module. */
  readonly dataset?: string | undefined;
  readonly set?: SetName | undefined;
}

export interface OpenedSamples extends TestSamples {
  readonly set: SetName;
  close(): Promise<void>;
}

/** For what has no seed and no order: all of a set is evaluated. */
const order = { seed: 0, shuffle: 'none' } as const;

/**
 * @param where - as `readTrainedModel` takes it
 * @throws LockstepError `BAD_CHOICE`, as `resolveDataset` and `openRunModule` do
 */
export async function openTestSamples(
  where: string,
  trained: TrainedModel,
  wanted: WantedSamples,
): Promise<OpenedSamples> {
  const run = configOfRun(where);
  const isModuleWanted = wanted.dataset === undefined || trained.model.loss === 'own';
  const path = wanted.module ?? (isModuleWanted ? run.module : undefined);
  const module = path === undefined ? undefined : await openRunModule(path, systemClock, wanted.set);
  if (module?.sets && wanted.dataset === undefined) return openOwnSets(trained, module, module.sets, run.seed);
  const dataset = wanted.dataset ?? module?.dataset ?? run.dataset ?? defaultDataset;
  return { ...(await openImages(trained, dataset, wanted.set)), ...judgementBy(module, classNumbers) };
}

/** What the run says of itself that left a file; nothing if the file does not lie in a run's folder. */
function configOfRun(where: string): { module?: string; dataset?: string; seed: number } {
  const beside = dirname(where);
  const places = [where, beside, ...(basename(beside) === 'checkpoints' ? [dirname(beside)] : [])];
  const spec = places.map((folder) => join(folder, 'spec.json')).find((path) => existsSync(path));
  const layer = spec === undefined ? undefined : fileLayer(spec, JSON.parse);
  const text = (name: FieldName) => layer?.get(name)?.value as string | undefined;
  const [module, dataset] = [text('module'), text('dataset')];
  const seed = Number(layer?.get('seed')?.value ?? 0);
  return { ...(module === undefined ? {} : { module }), ...(dataset === undefined ? {} : { dataset }), seed };
}

/** The loss and the metrics of a module. @param labels - that they are going to be called with */
function judgementBy(
  module: OpenedRunModule | undefined,
  labels: SampleFormat,
): Pick<TestSamples, 'ownLoss' | 'metrics'> {
  if (!module) return {};
  const ownLoss = { path: module.path, labels };
  const metrics = metricSpecsOf(module.run);
  return { ownLoss, metrics: metrics && { ...ownLoss, metrics } };
}

async function openImages(
  { model, microBatchSize }: TrainedModel,
  dataset: string,
  set: SetName = 'test',
): Promise<OpenedSamples> {
  if (set === 'validation')
    throw cliFault('BAD_CHOICE', { flag: '--set', given: set, choices: `train or test, which ${dataset} has` });
  const samples = imagesDataset((await resolveDataset(dataset))[set], model.inputScaling);
  return {
    ...{ name: dataset, set, length: samples.length, shape: samples.sampleShape, labels: classNumbers },
    feed: (engine) => new ResidentFeed(engine, { microBatchSize, order, train: samples, test: samples }),
    close: async () => undefined,
  };
}

async function openOwnSets(
  { model, microBatchSize }: TrainedModel,
  module: OpenedRunModule,
  opened: Omit<OwnSetsSpec, 'classes'>,
  seed: number,
): Promise<OpenedSamples> {
  const { path } = module;
  const judgement = judgementBy(module, opened.test.y);
  const description = await describeModel(model, 'auto', judgement.ownLoss);
  const sets = moduleSpecOf(module, model, description)?.sets ?? opened;
  const { set, length, x, y } = sets.test;
  const { readTimeoutMs } = sets;
  const thread = await DataThread.open({ path, readTimeoutMs, evaluated: set }, systemClock);
  const stream = sampleSourceOf(thread, path, sets, { microBatchSize, seed }).open();
  const options = { microBatchSize, order, inputScaling: model.inputScaling };
  return {
    ...{ name: path, set, length, shape: x.shape, labels: y },
    ...judgement,
    feed: (engine) => new StreamedFeed(engine, stream, options, systemClock),
    async close() {
      stream.port.close();
      await thread.stop();
    },
  };
}
