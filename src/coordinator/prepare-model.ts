import type { CoordinatorConfig } from '../config/index.js';
import { sha256 } from '../core/digest.js';
import type { ParameterLayout } from '../core/layout.js';
import type { RunSpec } from '../core/run-spec.js';
import { describeModel, type ModelDescription } from '../engine/describe-model.js';
import { initialisersFor } from '../engine/initial-weights.js';
import { isModelFile, readModelFile } from '../engine/model-file.js';
import type { ModelSpec } from '../engine/model-spec.js';
import {
  encodeSafetensors,
  readSafetensors,
  tensorsOf,
  weightsFrom,
  type Tensor,
  type TensorFile,
} from '../store/safetensors.js';
import { fault } from './faults.js';

/** Initial weights as they will travel. */
export interface InitialWeights {
  readonly sha256: string;
  readonly content: Buffer;
}

/** A model that can be trained, and what it starts from unless that follows from the seed. */
export interface PreparedModel {
  readonly model: ModelSpec;
  readonly description: ModelDescription;
  readonly init: InitialWeights | undefined;
}

/**
 * @param earlier - of the run that goes on, if one does: its model stands, whatever became of the file
 * @throws LockstepError for the first thing that is wrong, by its name
 */
export async function prepareModel(config: CoordinatorConfig, earlier: RunSpec | undefined): Promise<PreparedModel> {
  if (earlier)
    return { model: earlier.model, description: await describeModel(earlier.model, config.engine), init: undefined };
  const { model, weights } = await readModel(config);
  const description = await describeModel(model, config.engine);
  const init = await weightsGiven(config, weights, description.layout);
  if (!init) initialisersFor(description.layout, model.topology); // found out here, and not by every worker
  return { model, description, init };
}

/** Those that a run was begun with, once more. @throws LockstepError as above */
export async function readInitialWeights(
  config: CoordinatorConfig,
  layout: ParameterLayout,
): Promise<InitialWeights | undefined> {
  const { weights } = config.init === undefined ? await readModel(config) : {};
  return weightsGiven(config, weights, layout);
}

async function weightsGiven(
  { init, model }: CoordinatorConfig,
  weights: readonly Tensor[] | undefined,
  layout: ParameterLayout,
): Promise<InitialWeights | undefined> {
  if (init !== undefined) return encodeInit(await readSafetensors(init), layout, init);
  return weights && encodeInit({ tensors: weights, metadata: {} }, layout, model);
}

/** Checked against the model, and written anew, so that nothing else is in them. @param path - names them in faults */
function encodeInit(file: TensorFile, layout: ParameterLayout, path: string): InitialWeights {
  const weights = weightsFrom(file, layout, path);
  const content = Buffer.concat(encodeSafetensors({ tensors: tensorsOf(layout, weights), metadata: {} }));
  return { sha256: sha256(content), content };
}

/** Loads TensorFlow.js, which takes a second, unless the model comes from a file without weights. */
async function readModel(config: CoordinatorConfig) {
  const { model: named, loss } = config;
  if (!isModelFile(named)) {
    const { buildModelSpec } = await import('../engine/models/index.js');
    const model: ModelSpec = buildModelSpec(named);
    return { model: loss === 'auto' || loss === 'softmaxCrossEntropy' ? model : { ...model, loss } };
  }
  const { spec: model, weightsManifest } = await readModelFile(named, loss);
  if (!weightsManifest) return { model };
  const { readModelWeights } = await import('../engine/model-file-weights.js');
  return { model, weights: await readModelWeights(named, weightsManifest) };
}

/** @throws LockstepError `LABELS_DO_NOT_FIT` for a class that no output stands for */
export function demandOutputs(
  dataset: string,
  labels: Uint8Array,
  { name: model, loss }: ModelSpec,
  { outputs }: ModelDescription,
): void {
  const classes = outputs > 1 ? outputs : loss === 'sigmoidCrossEntropy' ? 2 : loss === 'meanSquaredError' ? 256 : 1;
  const label = labels.reduce((largest, value) => Math.max(largest, value), 0);
  if (label >= classes) throw fault('LABELS_DO_NOT_FIT', { dataset, label, model, outputs, classes });
}
