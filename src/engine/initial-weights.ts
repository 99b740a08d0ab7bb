import type { ParameterLayout } from '../core/layout.js';
import { fault } from './faults.js';
import {
  constant,
  glorotUniform,
  initialiserNames,
  initialiserOf,
  uniform,
  type Initialiser,
  type InitialiserConfig,
} from './initialisers.js';

/**
 * Initial weights as the model's JSON says; where it says nothing Glorot uniform kernels, tables of rows uniform in +-0.05,
 * normalisation that does nothing yet, and zeros otherwise. A tensor depends on the seed and on its own name and shape alone,
 * so that adding a layer leaves the others as they were. Seeds of the JSON's own count for nothing.
 *
 * @param weights - float32[weightCount], overwritten
 * @param topology - of the model; without it nothing is said
 * @throws LockstepError `TENSOR_WITHOUT_INITIALISER` for an initialiser, or a tensor's role, that is unknown
 */
export function initialiseWeights(
  layout: ParameterLayout,
  seed: number,
  weights: Float32Array,
  topology?: unknown,
): void {
  const initialisers = initialisersFor(layout, topology);
  layout.tensors.forEach((tensor, i) => {
    initialisers[i]!(tensor, seed, weights.subarray(tensor.offset, tensor.offset + tensor.size));
  });
}

/** Weights that a user's model brings, by tensor. */
export type KeptWeights = ReadonlyMap<string, Float32Array>;

/**
 * Initial weights of which some are given.
 *
 * @returns undefined if all that is given is what the seed gives, too: a bias of zeros is no news
 * @throws LockstepError `TENSOR_WITHOUT_INITIALISER` for a tensor that is neither given nor can be drawn
 */
export function weightsWith(
  kept: KeptWeights,
  layout: ParameterLayout,
  seed: number,
  topology: unknown,
): Float32Array | undefined {
  const weights = new Float32Array(layout.weightCount);
  let isNews = false;
  const layers = layersIn(topology);
  for (const tensor of layout.tensors) {
    const values = weights.subarray(tensor.offset, tensor.offset + tensor.size);
    const given = kept.get(tensor.name);
    const initialise = initialiserFor(tensor.name, layers, given !== undefined);
    initialise?.(tensor, seed, values);
    if (!given || (initialise && given.every((value, i) => value === values[i]))) continue;
    values.set(given);
    isNews = true;
  }
  return isNews ? weights : undefined;
}

/** Of each tensor. @throws LockstepError `TENSOR_WITHOUT_INITIALISER` */
export function initialisersFor(layout: ParameterLayout, topology: unknown): readonly Initialiser[] {
  const layers = layersIn(topology);
  return layout.tensors.map(({ name }) => initialiserFor(name, layers, false)!);
}

/** @param isOptional - whether nothing is wrong if there is none */
function initialiserFor(tensor: string, layers: readonly JsonLayer[], isOptional: boolean): Initialiser | undefined {
  const role = tensor.slice(tensor.lastIndexOf('.') + 1);
  const { said, hasForgetGate } = saidOf(tensor, role, layers);
  const initialise = said ? initialiserOf(said) : byRole[role];
  if (initialise) return hasForgetGate ? withForgetGate(initialise) : initialise;
  if (isOptional) return undefined;
  const reason = said
    ? `its initialiser ${said.class_name} is not among ${initialiserNames.join(', ')}`
    : 'nothing says how it begins';
  throw fault('TENSOR_WITHOUT_INITIALISER', { tensor, reason });
}

/** Where the JSON says nothing. */
const byRole: Readonly<Record<string, Initialiser>> = {
  kernel: glorotUniform,
  depthwise_kernel: glorotUniform,
  pointwise_kernel: glorotUniform,
  embeddings: uniform(0.05),
  bias: constant(0),
  beta: constant(0),
  alpha: constant(0),
  moving_mean: constant(0),
  gamma: constant(1),
  moving_variance: constant(1),
};

/** Of four equal parts of the bias of an LSTM, the one that belongs to the forget gate begins with ones. */
function withForgetGate(initialise: Initialiser): Initialiser {
  return (tensor, seed, values) => {
    initialise(tensor, seed, values);
    values.fill(1, values.length / 4, values.length / 2);
  };
}

interface JsonLayer {
  readonly name: string;
  readonly config: unknown;
}

/** All layers of a model's JSON, those inside of others too. */
function layersIn(json: unknown): readonly JsonLayer[] {
  if (typeof json !== 'object' || json === null) return [];
  const { config } = json as { config?: { name?: unknown } | null };
  const name = config?.name;
  const own = typeof name === 'string' ? [{ name, config: json }] : [];
  return [...own, ...Object.values(json).flatMap(layersIn)];
}

/** What the innermost layer that the tensor is named after says about it. */
function saidOf(
  tensor: string,
  role: string,
  layers: readonly JsonLayer[],
): { readonly said?: InitialiserConfig; readonly hasForgetGate: boolean } {
  const place = ({ name }: JsonLayer): number => `.${tensor}`.lastIndexOf(`.${name}.`);
  const owners = layers.filter((layer) => place(layer) >= 0).sort((a, b) => place(b) - place(a));
  for (const { config } of owners) {
    for (const key of [role, role.replace(/_kernel$/, '')]) {
      const [said] = valuesOf(config, `${key}_initializer`) as (InitialiserConfig | undefined)[];
      if (!said) continue;
      const hasForgetGate = role === 'bias' && valuesOf(config, 'unit_forget_bias').includes(true);
      return { said, hasForgetGate };
    }
  }
  return { hasForgetGate: false };
}

/** What the JSON has under a key, at any depth, where that is something. */
function valuesOf(json: unknown, wanted: string): readonly unknown[] {
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json).flatMap(([key, value]) => [
    ...(key === wanted && value !== null && value !== undefined ? [value as unknown] : []),
    ...valuesOf(value, wanted),
  ]);
}
