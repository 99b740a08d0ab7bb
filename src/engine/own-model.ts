/** A model that a function of a run's module builds. */
import { dirname, resolve } from 'node:path';

import type * as tfl from '@tensorflow/tfjs-layers';

import { LockstepError } from '../core/errors.js';
import type { ModelContext, RunDefinition } from '../own/definition.js';
import { fault as moduleFault } from '../own/faults.js';
import { nameOfModule } from '../own/load-module.js';
import { withCanonicalNames } from './canonical-names.js';
import { fault } from './faults.js';
import type { NamedWeights } from './model-file-weights.js';
import { demandLogits } from './model-file.js';
import type { ModelSpec } from './model-spec.js';
import { unitScaling } from './models/scaling.js';
import { loadLayers, nameOfWeight } from './op-by-op/load-layers.js';
import { tf } from './tensorflow.js';
import { userTensorFlow } from './user-tensorflow.js';

export interface OwnModel {
  readonly model: ModelSpec;
  /** Weights that were the same both times: they are the user's, and not drawn. */
  readonly kept: readonly NamedWeights[];
}

type ModelFunction = Exclude<RunDefinition['model'], string>;

/**
 * Builds the model twice, to find out which of its weights are chance.
 *
 * @param module - whose `model` is a function; its path is for faults, and for what it names beside itself
 * @throws LockstepError `RUN_MODULE_BROKEN`, `RUN_MODULE_MALFORMED`, `MODEL_UNSUPPORTED`, `LAYER_CLASS_UNKNOWN`
 */
export async function buildOwnModel(
  { path, run }: { readonly path: string; readonly run: RunDefinition },
  seed: number,
): Promise<OwnModel> {
  const context: ModelContext = {
    tf: userTensorFlow,
    seed,
    loadModel: (file) => loadModel(resolve(dirname(path), file)),
  };
  const model = run.model as ModelFunction;
  const [first, second] = [await build(path, model, context), await build(path, model, context)];
  const topology = withCanonicalNames(first.toJSON(null, false));
  const loss = typeof run.loss === 'function' ? 'own' : run.loss;
  if (loss !== 'own') demandLogits(topology as Readonly<Record<string, unknown>>, loss ?? 'softmaxCrossEntropy');
  const spec: ModelSpec = {
    name: nameOfModule(path),
    topology,
    inputScaling: { ...unitScaling, ...run.inputScaling },
    ...(loss === undefined || loss === 'softmaxCrossEntropy' ? {} : { loss }),
  };
  const names = await namesOfWeights(spec);
  const kept = first.weights.flatMap((weight, i): NamedWeights[] => {
    const [data, again] = [weight, second.weights[i]].map((w) => w?.read().dataSync<'float32'>());
    if (!data || !again || !isEqual(data, again)) return [];
    return [{ name: names[i]!, shape: weight.shape as number[], data: Float32Array.from(data) }];
  });
  for (const built of new Set([first, second])) built.dispose();
  return { model: spec, kept };
}

async function build(path: string, make: ModelFunction, context: ModelContext): Promise<tfl.LayersModel> {
  let model: unknown;
  try {
    model = await make(context);
  } catch (error) {
    if (error instanceof LockstepError) throw error;
    const reason = `model() failed: ${error instanceof Error ? error.message.split('\n', 1)[0] : String(error)}`;
    throw moduleFault('RUN_MODULE_BROKEN', { path, reason }, error);
  }
  const { toJSON, weights } = (model ?? {}) as Partial<tfl.LayersModel>;
  if (typeof toJSON === 'function' && Array.isArray(weights)) return model as tfl.LayersModel;
  throw moduleFault('RUN_MODULE_MALFORMED', { path, reason: 'model() returned no tf.LayersModel' });
}

/** In the order of TensorFlow.js, as layouts call them. */
async function namesOfWeights(model: ModelSpec): Promise<readonly string[]> {
  const layers = await loadLayers(model);
  const names = layers.weights.map(nameOfWeight);
  layers.dispose();
  return names;
}

async function loadModel(path: string): Promise<tfl.LayersModel> {
  const [{ readModelFile }, { readModelWeights }] = await Promise.all([
    import('./model-file.js'),
    import('./model-file-weights.js'),
  ]);
  const { spec, weightsManifest } = await readModelFile(path, 'meanSquaredError'); // its end is the caller's affair
  if (!weightsManifest) throw fault('MODEL_FILE_UNREADABLE', { path, reason: 'it has no weights' });
  const layers = await loadLayers(spec);
  const found = new Map((await readModelWeights(path, weightsManifest)).map((weights) => [weights.name, weights]));
  const values = layers.weights.map((weight) => {
    const given = found.get(nameOfWeight(weight));
    if (given) return tf.tensor(given.data, [...given.shape]);
    throw fault('MODEL_FILE_UNREADABLE', { path, reason: `it has no weights ${nameOfWeight(weight)}` });
  });
  layers.setWeights(values);
  tf.dispose(values);
  return layers;
}

function isEqual(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
