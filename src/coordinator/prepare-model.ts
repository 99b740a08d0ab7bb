import type { CoordinatorConfig } from '../config/index.js';
import { sha256 } from '../core/digest.js';
import type { ParameterLayout } from '../core/layout.js';
import type { RunSpec } from '../core/run-spec.js';
import { describeModel, type ModelDescription } from '../engine/describe-model.js';
import { initialisersFor, weightsWith } from '../engine/initial-weights.js';
import { isModelFile, readModelFile } from '../engine/model-file.js';
import { defaultModel } from '../engine/models/names.js';
import type { NamedWeights } from '../engine/model-file-weights.js';
import type { LossName, ModelSpec } from '../engine/model-spec.js';
import { ownLossOf } from '../engine/own-loss-options.js';
import {
  encodeSafetensors,
  readSafetensors,
  tensorsOf,
  weightsFrom,
  type Tensor,
  type TensorFile,
} from '../store/safetensors.js';
import { fault } from './faults.js';
import { modelNameIn, openRunModule, type OpenedRunModule } from './run-module.js';

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
export async function prepareModel(
  config: CoordinatorConfig,
  earlier: RunSpec | undefined,
  module?: OpenedRunModule,
): Promise<PreparedModel> {
  const describe = (model: ModelSpec): Promise<ModelDescription> =>
    describeModel(model, config.engine, module && ownLossOf(module));
  if (earlier) return { model: earlier.model, description: await describe(earlier.model), init: undefined };
  const { model, weights, kept } = await readModel(config, module);
  const description = await describe(model);
  const { layout } = description;
  if (kept && config.init === undefined) {
    const all = weightsWith(new Map(kept.map(({ name, data }) => [name, data])), layout, config.seed, model.topology);
    return { model, description, init: all && encodeWeights(layout, all) };
  }
  const init = await weightsGiven(config, weights, layout);
  if (!init) initialisersFor(description.layout, model.topology); // found out here, and not by every worker
  return { model, description, init };
}

/** Those that a run was begun with, once more. @throws LockstepError as above */
export async function readInitialWeights(
  config: CoordinatorConfig,
  layout: ParameterLayout,
): Promise<InitialWeights | undefined> {
  if (config.init === undefined && config.module !== undefined)
    return (await prepareModel(config, undefined, await openRunModule(config.module))).init;
  const { weights } = config.init === undefined ? await readModel(config) : {};
  return weightsGiven(config, weights, layout);
}

async function weightsGiven(
  { init, model }: CoordinatorConfig,
  weights: readonly Tensor[] | undefined,
  layout: ParameterLayout,
): Promise<InitialWeights | undefined> {
  if (init !== undefined) return encodeInit(await readSafetensors(init), layout, init);
  return weights && encodeInit({ tensors: weights, metadata: {} }, layout, model ?? 'the model');
}

/** Checked against the model, and written anew, so that nothing else is in them. @param path - names them in faults */
function encodeInit(file: TensorFile, layout: ParameterLayout, path: string): InitialWeights {
  return encodeWeights(layout, weightsFrom(file, layout, path));
}

function encodeWeights(layout: ParameterLayout, weights: Float32Array): InitialWeights {
  const content = Buffer.concat(encodeSafetensors({ tensors: tensorsOf(layout, weights), metadata: {} }));
  return { sha256: sha256(content), content };
}

/** Loads TensorFlow.js, which takes a second, unless the model comes from a file without weights. */
async function readModel(config: CoordinatorConfig, module?: OpenedRunModule): Promise<ReadModel> {
  const said = module && modelNameIn(module);
  if (module && said === undefined) return (await import('../engine/own-model.js')).buildOwnModel(module, config.seed);
  if (!module) return readNamedModel(config.model ?? defaultModel, config.loss ?? 'auto');
  const { loss, inputScaling } = module.run;
  const read = await readNamedModel(said!, loss === undefined ? 'auto' : typeof loss === 'function' ? 'own' : loss);
  return { ...read, model: { ...read.model, inputScaling: { ...read.model.inputScaling, ...inputScaling } } };
}

interface ReadModel {
  readonly model: ModelSpec;
  readonly weights?: readonly Tensor[];
  /** Those that a function which builds the model does not draw. */
  readonly kept?: readonly NamedWeights[];
}

async function readNamedModel(named: string, wanted: LossName | 'auto' | 'own'): Promise<ReadModel> {
  const loss = wanted === 'own' ? 'meanSquaredError' : wanted; //     its end is the affair of whoever wrote the loss
  const withLoss = (model: ModelSpec): ModelSpec => (wanted === 'own' ? { ...model, loss: wanted } : model);
  if (!isModelFile(named)) {
    const { buildModelSpec } = await import('../engine/models/index.js');
    const model: ModelSpec = buildModelSpec(named);
    return { model: withLoss(loss === 'auto' || loss === 'softmaxCrossEntropy' ? model : { ...model, loss }) };
  }
  const { spec: model, weightsManifest } = await readModelFile(named, loss);
  if (!weightsManifest) return { model: withLoss(model) };
  const { readModelWeights } = await import('../engine/model-file-weights.js');
  return { model: withLoss(model), weights: await readModelWeights(named, weightsManifest) };
}

/** @throws LockstepError `LABELS_DO_NOT_FIT` for a class that no output stands for */
export function demandOutputs(
  dataset: string,
  labels: Uint8Array,
  { name: model, loss }: ModelSpec,
  { outputs }: ModelDescription,
): void {
  if (loss === 'own') return;
  const classes = outputs > 1 ? outputs : loss === 'sigmoidCrossEntropy' ? 2 : loss === 'meanSquaredError' ? 256 : 1;
  const label = labels.reduce((largest, value) => Math.max(largest, value), 0);
  if (label >= classes) throw fault('LABELS_DO_NOT_FIT', { dataset, label, model, outputs, classes });
}
