/** What a run left, for those who use it. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { readSafetensors, type Tensor } from '../store/safetensors.js';
import { fault } from './faults.js';
import { isModelFile, readModelFile } from './model-file.js';
import type { ModelSpec } from './model-spec.js';

export interface TrainedModel {
  readonly model: ModelSpec;
  readonly tensors: readonly Tensor[];
  /** Samples of a micro-batch in the run, on which the last bits of a sum depend. */
  readonly microBatchSize: number;
  /** Where the weights were found, for faults. */
  readonly path: string;
}

const defaultMicroBatchSize = 128;

/**
 * @param where - the folder of a run, whose final weights are meant; a .safetensors file that a run wrote; or a model of
 *   TensorFlow.js with its weights, a .json file
 * @throws LockstepError `WEIGHTS_WITHOUT_MODEL`, and as `readSafetensors` and `readModelFile` do
 */
export async function readTrainedModel(where: string): Promise<TrainedModel> {
  if (isModelFile(where)) return readSavedModel(where);
  const isFolder = (await stat(where).catch(() => undefined))?.isDirectory() ?? false;
  const path = isFolder ? join(where, 'final.safetensors') : where;
  const { tensors, metadata } = await readSafetensors(path);
  const said = metadata['model'] ?? metadata['runSpec'];
  if (said === undefined) throw fault('WEIGHTS_WITHOUT_MODEL', { path });
  const spec = JSON.parse(said) as ModelSpec | { readonly model: ModelSpec; readonly microBatchSize: number };
  return {
    model: 'model' in spec ? spec.model : spec,
    tensors: tensors.filter(({ name }) => !/^optimizer\.[^/]+\//.test(name)), // a checkpoint has its state, too
    microBatchSize: Number(
      metadata['microBatchSize'] ?? ('model' in spec ? spec.microBatchSize : defaultMicroBatchSize),
    ),
    path,
  };
}

async function readSavedModel(path: string): Promise<TrainedModel> {
  const { spec: model, weightsManifest } = await readModelFile(path);
  if (!weightsManifest) throw fault('MODEL_FILE_UNREADABLE', { path, reason: 'it has no weights' });
  const { readModelWeights } = await import('./model-file-weights.js');
  return {
    model,
    tensors: await readModelWeights(path, weightsManifest),
    microBatchSize: defaultMicroBatchSize,
    path,
  };
}
