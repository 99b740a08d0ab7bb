/** Which layers of TensorFlow.js can be trained op by op so that the result depends on no cluster, and what their weights are. */
import type * as tfl from '@tensorflow/tfjs-layers';

import type { TensorSpec } from '../../core/layout.js';
import { fault } from '../faults.js';

/** What a layer's own properties are looked through for; TensorFlow.js declares none of them. */
export type OpenLayer = tfl.layers.Layer & Record<string, unknown>;

/** They draw random numbers that no seed of ours decides. */
const randomClasses = new Set(['GaussianNoise', 'GaussianDropout', 'AlphaDropout', 'SpatialDropout1D', 'RandomWidth']);

export function untrainable(layer: tfl.layers.Layer, reason: string): Error {
  return fault('LAYER_UNTRAINABLE', { layer: layer.name, className: layer.getClassName(), reason });
}

/** @throws LockstepError `LAYER_UNTRAINABLE` for state, chance and rules that reach the weights behind our back */
export function demandTrainable(layer: tfl.layers.Layer): void {
  const open = layer as OpenLayer;
  const className = layer.getClassName();
  if (open['stateful'] === true) throw untrainable(layer, 'it keeps a state from batch to batch');
  if (className === 'BatchNormalization') {
    if (open['gamma'] == null || open['beta'] == null)
      throw untrainable(layer, 'TensorFlow.js trains it only with both gamma and beta');
    if (layer.trainable === false) throw untrainable(layer, 'it is frozen');
  }
  if (className === 'Dropout' && open['noiseShape'] != null) throw untrainable(layer, 'it has a noiseShape');
  const inner = layer.getConfig() as unknown;
  const rule = ruleInside(inner, /Constraint$/) ?? ruleInside(inner, /^activityRegularizer$/);
  if (rule !== undefined) throw untrainable(layer, `it has a ${rule}`);
  const foundRandom = randomClasses.has(className) ? className : randomInside(inner, className === 'Dropout');
  if (foundRandom !== undefined) throw untrainable(layer, `${foundRandom} draws random numbers of its own`);
}

/** The first key of this kind that a configuration gives a value to, at any depth: of a wrapped layer or a cell, too. */
function ruleInside(config: unknown, key: RegExp): string | undefined {
  if (typeof config !== 'object' || config === null) return undefined;
  for (const [name, value] of Object.entries(config)) {
    if (value === null || value === undefined) continue;
    const camelCase = name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    if (key.test(camelCase)) return camelCase;
    const found = ruleInside(value, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What inside of a configuration draws random numbers: a wrapped layer, or a cell with dropout. */
function randomInside(config: unknown, isDropout: boolean): string | undefined {
  if (typeof config !== 'object' || config === null) return undefined;
  for (const [key, value] of Object.entries(config)) {
    if ((key === 'className' || key === 'class_name') && (value === 'Dropout' || randomClasses.has(String(value))))
      return String(value);
    if (!isDropout && /^(recurrent_?)?dropout$/i.test(key) && Number(value) > 0) return key;
    const found = randomInside(value, false);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Penalties {
  readonly l1: number;
  readonly l2: number;
}

/** A layer's weights as the layout wants them, in TensorFlow.js's order. */
export function weightSpecsOf(layer: tfl.layers.Layer): readonly TensorSpec[] {
  const config = layer.getConfig() as Readonly<Record<string, unknown>>;
  const regularisers = new Map(
    Object.entries(config).filter(([key, value]) => key.endsWith('Regularizer') && value != null),
  );
  const trained = new Set(layer.trainableWeights);
  const specs = layer.weights.map((weight): TensorSpec => {
    const name = weight.originalName.replaceAll('/', '.');
    const role = name.slice(name.lastIndexOf('.') + 1);
    const key = [role, role.replace(/_kernel$/, '')]
      .map((word) => `${word.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())}Regularizer`)
      .find((candidate) => regularisers.has(candidate));
    const regulariser = regularisers.get(key ?? '') as { readonly config?: Partial<Penalties> } | undefined;
    const penalty = regulariser?.config;
    if (key !== undefined) regularisers.delete(key);
    const isAverage = layer.getClassName() === 'BatchNormalization' && role.startsWith('moving_');
    return {
      name,
      shape: weight.shape as number[],
      ...(trained.has(weight) ? {} : { trainable: false }),
      ...(isAverage ? { averageMomentum: Number((layer as OpenLayer)['momentum']) } : {}),
      ...(penalty ? { penalty: { l1: penalty.l1 ?? 0, l2: penalty.l2 ?? 0 } } : {}),
    };
  });
  const wrapped = Object.entries(config).filter(([key]) => !key.endsWith('Regularizer'));
  const [left = ruleInside(Object.fromEntries(wrapped), /Regularizer$/)] = regularisers.keys();
  if (left !== undefined) throw untrainable(layer, `its ${left} belongs to no weight of its own`);
  return specs;
}
