/** A model from a file: the model.json of TensorFlow.js's layers format, as `model.save('file://...')` writes it. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';

import { fault } from './faults.js';
import type { LossName, ModelSpec } from './model-spec.js';
import { unitScaling } from './models/scaling.js';

export interface ModelFile {
  readonly spec: ModelSpec;
  /** What it says about its weights; absent where it has none. */
  readonly weightsManifest?: WeightsManifest;
}

/** Groups of weights, each in files that follow one another. */
export type WeightsManifest = readonly {
  /** Relative to the folder of the model's file. */
  readonly paths: readonly string[];
  readonly weights: readonly WeightEntry[];
}[];

export interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  /** `optimizer`: no weight of the model. */
  readonly group?: string;
}

/**
 * @param loss - `auto`: what the file says, else softmaxCrossEntropy
 * @throws LockstepError `MODEL_FILE_UNREADABLE`, `NOT_A_LAYERS_MODEL`, `OUTPUT_ALREADY_ACTIVATED`
 */
export async function readModelFile(path: string, loss: LossName | 'auto' = 'auto'): Promise<ModelFile> {
  const content = parse(path, await readBytes(path));
  const { topology, trainingConfig } = topologyOf(path, content);
  const own = ownFacts(content);
  const chosen = loss === 'auto' ? (own.loss ?? lossIn(content['trainingConfig'] ?? trainingConfig)) : loss;
  demandLogits(topology, chosen ?? 'softmaxCrossEntropy');
  const manifest = content['weightsManifest'] as WeightsManifest | undefined;
  return {
    spec: {
      name: nameOfModelFile(path),
      topology,
      inputScaling: own.inputScaling ?? unitScaling,
      ...(chosen === undefined || chosen === 'softmaxCrossEntropy' ? {} : { loss: chosen }),
    },
    ...(Array.isArray(manifest) && manifest.length > 0 ? { weightsManifest: manifest } : {}),
  };
}

/** Whether `--model` means a file, and no built-in model. */
export function isModelFile(model: string): boolean {
  return model.toLowerCase().endsWith('.json');
}

/** What runs call the model: the file's name, or that of its folder, since TensorFlow.js calls every file model.json. */
export function nameOfModelFile(path: string): string {
  const name = basename(path).replace(/\.json$/i, '');
  const telling = name === 'model' ? basename(dirname(resolve(path))) || name : name;
  return telling.replaceAll(/[^\w-]+/g, '-').slice(0, 40);
}

/** @throws LockstepError `MODEL_FILE_UNREADABLE` */
export async function readBytes(path: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'it is a folder' : message;
    throw fault('MODEL_FILE_UNREADABLE', { path, reason }, error);
  });
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parse(path: string, bytes: Buffer): Json {
  let content: unknown;
  try {
    content = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw fault('MODEL_FILE_UNREADABLE', { path, reason: 'it is not JSON' }, error);
  }
  if (!isObject(content)) throw fault('NOT_A_LAYERS_MODEL', { path, reason: 'it is no JSON object' });
  return content;
}

function topologyOf(path: string, content: Json): { readonly topology: Json; readonly trainingConfig: unknown } {
  const no = (reason: string): Error => fault('NOT_A_LAYERS_MODEL', { path, reason });
  if (content['format'] === 'graph-model') throw no('it is a graph model, which has no layers to train');
  const found = content['modelTopology'];
  if (!isObject(found)) throw no('it has no modelTopology');
  const topology = isObject(found['model_config']) ? found['model_config'] : found; // as Keras has it
  if (typeof topology['class_name'] !== 'string' || typeof topology['config'] !== 'object')
    throw no('its modelTopology names no class with a configuration');
  return { topology, trainingConfig: found['training_config'] };
}

/** What `lockstep export` writes, which TensorFlow.js hands on. */
function ownFacts(content: Json): Partial<{ readonly loss: LossName } & Pick<ModelSpec, 'inputScaling'>> {
  const metadata = content['userDefinedMetadata'];
  return isObject(metadata) && isObject(metadata['lockstep']) ? metadata['lockstep'] : {};
}

/** The loss that the model was compiled with, if it is one of ours. */
function lossIn(trainingConfig: unknown): LossName | undefined {
  const said = isObject(trainingConfig) ? trainingConfig['loss'] : undefined;
  const name = isObject(said) ? said['class_name'] : said;
  if (typeof name !== 'string') return undefined;
  return compiledLosses[name.replaceAll('_', '').toLowerCase()];
}

const compiledLosses: Readonly<Record<string, LossName>> = {
  categoricalcrossentropy: 'softmaxCrossEntropy',
  sparsecategoricalcrossentropy: 'softmaxCrossEntropy',
  softmaxcrossentropy: 'softmaxCrossEntropy',
  binarycrossentropy: 'sigmoidCrossEntropy',
  sigmoidcrossentropy: 'sigmoidCrossEntropy',
  meansquarederror: 'meanSquaredError',
  mse: 'meanSquaredError',
};

const appliedBy: Readonly<Record<LossName, readonly string[]>> = {
  softmaxCrossEntropy: ['softmax', 'log_softmax'],
  sigmoidCrossEntropy: ['sigmoid'],
  meanSquaredError: [],
};

/** A softmax twice trains too, but badly, and nobody would know why. @throws LockstepError `OUTPUT_ALREADY_ACTIVATED` */
export function demandLogits({ config }: Json, loss: LossName): void {
  const inside: Json = isObject(config) ? config : { layers: config };
  const layers: unknown = inside['layers'];
  const outputs = inside['output_layers'] as readonly (readonly unknown[])[] | undefined;
  const known = Array.isArray(layers) ? layers.filter(isObject) : [];
  const last = known.find(({ name }) => name !== undefined && name === outputs?.[0]?.[0]) ?? known.at(-1);
  const settings = last?.['config'];
  if (!isObject(settings)) return;
  const activation = last?.['class_name'] === 'Softmax' ? 'softmax' : settings['activation'];
  if (typeof activation === 'string' && appliedBy[loss].includes(activation))
    throw fault('OUTPUT_ALREADY_ACTIVATED', { layer: String(settings['name']), activation, loss });
}
