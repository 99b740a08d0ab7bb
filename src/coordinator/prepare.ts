import { createReadStream } from 'node:fs';
import type { CoordinatorConfig } from '../config/index.js';
import { sha256 } from '../core/digest.js';
import type { ParameterLayout } from '../core/layout.js';
import type { RunSpec } from '../core/run-spec.js';
import { readIdxContent } from '../data/idx.js';
import { resolveDataset } from '../data/sources.js';
import { layoutOfTopology, readTopology } from '../engine/topology.js';
import { createOptimizer } from '../optim/registry.js';
import { parseSchedule } from '../optim/schedule-text.js';
import type { FoundCheckpoint } from '../store/checkpoints.js';
import { encodeSafetensors, readSafetensors, tensorsOf, weightsFrom } from '../store/safetensors.js';
import { fault } from './faults.js';
import { readBatchHistory } from './replay.js';
import type { Restoration } from './restoration.js';
import { runSpecOf } from './run-spec.js';

/** A run that can start: everything that the configuration names was found and fits together. */
export interface PreparedSpec {
  readonly spec: RunSpec;
  readonly layout: ParameterLayout;
  /** What workers may ask for, by SHA-256, in chunks. */
  readBlob(sha256: string): AsyncIterable<Uint8Array> | undefined;
}

const chunkBytes = 1024 * 1024;

/**
 * Reads and checks everything that a configuration names, before anything is started or written.
 *
 * @param checkpoint - where the run goes on, if it is resumed
 * @param restoration - the run that is taken over, if one is: its spec stands
 * @throws LockstepError for the first thing that is wrong, by its name
 */
export async function prepareSpec(
  config: CoordinatorConfig,
  runId: string,
  checkpoint?: FoundCheckpoint,
  restoration?: Restoration,
): Promise<PreparedSpec> {
  createOptimizer(config.optimizer, config.optimizerOptions);
  parseSchedule(config.learningRateSchedule);
  const model = restoration?.spec.model ?? (await buildModel(config.model));
  const topology = readTopology(model);
  const layout = layoutOfTopology(topology);
  const init = config.init === undefined || checkpoint ? undefined : await readInit(config.init, layout);
  const { files, train, test } = await resolveDataset(config.dataset);
  const shape = [train.rows, train.columns, train.channels];
  if (topology.inputShape.join() !== shape.join()) {
    throw fault('DATASET_DOES_NOT_FIT', {
      dataset: config.dataset,
      shape,
      model: model.name,
      expected: topology.inputShape,
    });
  }
  const begunWith = checkpoint && (JSON.parse(checkpoint.runSpec) as RunSpec);
  const replayed = config.replay === undefined || restoration ? undefined : await readBatchHistory(config.replay);
  const paths = new Map(files.map((file) => [file.sha256, file.path]));
  const datasetFiles = files.map(({ role, bytes, sha256 }) => ({ role, bytes, sha256 }));
  restoration?.check(datasetFiles);
  const begun = {
    runId,
    model,
    files: datasetFiles,
    trainLength: train.count,
    testLength: test.count,
    init: init && { sha256: init.sha256, bytes: init.content.length },
    resume: checkpoint && { sha256: checkpoint.sha256, bytes: checkpoint.bytes },
    begunWith,
    batchHistory: begunWith?.batchHistory ?? replayed,
  };
  const spec = restoration?.spec ?? runSpecOf(config, begun);
  const resumedFrom = checkpoint?.path ?? restoration?.resumedFrom;
  return {
    spec,
    layout,
    readBlob(wanted) {
      if (wanted === init?.sha256) return chunksOf(init.content);
      if (wanted === spec.resume?.sha256 && resumedFrom !== undefined)
        return createReadStream(resumedFrom, { highWaterMark: chunkBytes });
      const path = paths.get(wanted);
      return path === undefined ? undefined : contentOf(path);
    },
  };
}

/** Loads TensorFlow.js, which takes a second. */
async function buildModel(name: CoordinatorConfig['model']): Promise<RunSpec['model']> {
  const { buildModelSpec } = await import('../engine/models/index.js');
  return buildModelSpec(name);
}

/** Initial weights as they will travel: checked against the model, and written anew, so that nothing else is in them. */
async function readInit(path: string, layout: ParameterLayout): Promise<{ sha256: string; content: Buffer }> {
  const weights = weightsFrom(await readSafetensors(path), layout, path);
  const content = Buffer.concat(encodeSafetensors({ tensors: tensorsOf(layout, weights), metadata: {} }));
  return { sha256: sha256(content), content };
}

async function* contentOf(path: string): AsyncIterable<Uint8Array> {
  const content = await readIdxContent(path); //                      unpacked, if the file is .gz
  yield* chunksOf(Buffer.from(content.buffer, content.byteOffset, content.byteLength));
}

async function* chunksOf(content: Buffer): AsyncIterable<Uint8Array> {
  for (let at = 0; at < content.length; at += chunkBytes) yield Buffer.from(content.subarray(at, at + chunkBytes));
}
