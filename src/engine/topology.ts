/**
 * Reads the JSON of a TensorFlow.js (Keras) model, sequential or functional, into a list of layers that plans are made from.
 *
 * It does without TensorFlow.js, which takes a second and 100 MB to load.
 */
import { layoutOf, type ParameterLayout, type TensorSpec } from '../core/layout.js';
import { fault } from './faults.js';
import { layerReaders } from './layers/index.js';
import type { Operation } from './layers/operation.js';
import { layerSource, type LayerConfig, type Shape } from './layers/source.js';
import type { LossName, ModelSpec } from './model-spec.js';
import { sizeOf } from '../core/shape.js';

/** One operation of a model. A layer of the JSON is one, or two in a row. */
export type Layer = Operation & {
  readonly name: string;
  /** Where its inputs come from: indices of layers before it, or `modelInput`. */
  readonly inputs: readonly number[];
  /** Of the first input. */
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly weights: readonly TensorSpec[];
};

export const modelInput = -1;

export interface Topology {
  readonly inputShape: Shape;
  /** In an order in which they can be computed; the last one's output is the model's. */
  readonly layers: readonly Layer[];
  /** Elements of the model's output. */
  readonly outputs: number;
  /** Of one sample. */
  readonly outputShape: Shape;
  readonly loss: LossName;
}

/**
 * @throws LockstepError `LAYER_UNSUPPORTED` for what no plan covers, `MODEL_UNSUPPORTED` for what cannot be trained at all
 */
export function readTopology(model: ModelSpec): Topology {
  const { loss = 'softmaxCrossEntropy' } = model;
  if (loss === 'own') {
    const reason = "it is a function of the run's module";
    throw fault('LAYER_UNSUPPORTED', { layer: 'loss', className: 'a function', reason });
  }
  const { entries, output } = readEntries(model);
  const inputShape = inputShapeOf(model, entries);
  const layers: Layer[] = [];
  /** The layer that gives what a layer of the JSON gives, by its name. */
  const values = new Map<string, number>();
  const shapeOf = (value: number): Shape => (value === modelInput ? inputShape : layers[value]!.outputShape);
  for (const { name, className, config, inputs } of entries) {
    if (className === 'InputLayer') {
      values.set(name, modelInput);
      continue;
    }
    const reader = layerReaders[className];
    if (!reader)
      throw fault('LAYER_UNSUPPORTED', { layer: name, className, reason: 'there are no kernels for this class' });
    let from = inputs === undefined ? [layers.length - 1] : inputs.map((input) => values.get(input)!);
    for (const description of reader(layerSource(name, className, config, from.map(shapeOf)))) {
      layers.push({ ...description, name, inputs: from, inputShape: shapeOf(from[0]!) });
      from = [layers.length - 1];
    }
    values.set(name, layers.length - 1);
  }
  const last = layers.at(-1);
  if (!last || (output !== undefined && values.get(output) !== layers.length - 1))
    throw fault('MODEL_UNSUPPORTED', { model: model.name, reason: 'its output is not that of its last layer' });
  if (loss === 'softmaxCrossEntropy' && last.outputShape.length !== 1) {
    const reason = `its output has the shape [${last.outputShape.join(', ')}]`;
    throw fault('MODEL_UNSUPPORTED', { model: model.name, reason });
  }
  const { outputShape } = last;
  return { inputShape, layers, outputs: sizeOf(outputShape), outputShape, loss };
}

/** The weights in canonical order. */
export function layoutOfTopology({ layers }: Topology): ParameterLayout {
  return layoutOf(layers.flatMap(({ weights }) => weights));
}

/** A layer of the JSON. */
interface Entry {
  readonly name: string;
  readonly className: string;
  readonly config: LayerConfig;
  /** Names of layers; in a sequential model absent, since the layer before is the one. */
  readonly inputs?: readonly string[];
}

interface JsonLayer {
  readonly class_name: string;
  readonly name?: string;
  readonly config: LayerConfig;
  readonly inbound_nodes?: readonly (readonly (readonly [string, ...unknown[]])[])[];
}

/** @returns the layers, and the name of the one that gives the output, unless that is the last */
function readEntries({ name, topology }: ModelSpec): { readonly entries: readonly Entry[]; readonly output?: string } {
  const { class_name: className, config } = (topology ?? {}) as { class_name?: unknown; config?: unknown };
  const inside = (config ?? {}) as { layers?: unknown; output_layers?: unknown; input_layers?: unknown };
  const found = Array.isArray(config) ? config : inside.layers;
  const layers = Array.isArray(found) ? (found as readonly JsonLayer[]) : undefined;
  const nameOf = (layer: JsonLayer): string => layer.name ?? String(layer.config['name']);
  if (className === 'Sequential' && layers) {
    return { entries: layers.map((layer) => ({ ...entryOf(layer), name: nameOf(layer) })) };
  }
  if ((className !== 'Model' && className !== 'Functional') || !layers) {
    const reason = 'plans are made for sequential and functional models';
    throw fault('LAYER_UNSUPPORTED', { layer: name, className: String(className), reason });
  }
  const [outputs, inputs] = [inside.output_layers, inside.input_layers] as (readonly unknown[])[];
  if (outputs?.length !== 1 || inputs?.length !== 1)
    throw fault('MODEL_UNSUPPORTED', { model: name, reason: 'it has more than one input or output' });
  const entries = layers.map((layer) => {
    const nodes = layer.inbound_nodes ?? [];
    if (nodes.length > 1) {
      const reason = 'it is applied more than once';
      throw fault('LAYER_UNSUPPORTED', { layer: nameOf(layer), className: layer.class_name, reason });
    }
    return { ...entryOf(layer), name: nameOf(layer), inputs: (nodes[0] ?? []).map(([from]) => from) };
  });
  return { entries: inOrder(entries), output: String((outputs[0] as readonly unknown[])[0]) };
}

function entryOf({ class_name: className, config }: JsonLayer): Omit<Entry, 'name'> {
  return { className, config };
}

/** Each layer behind its inputs; otherwise the order stays. */
function inOrder(entries: readonly (Entry & { readonly inputs: readonly string[] })[]): readonly Entry[] {
  const known = new Set<string>();
  const ordered: Entry[] = [];
  let waiting = entries;
  while (waiting.length > 0) {
    const [ready] = waiting.filter(({ inputs }) => inputs.every((input) => known.has(input)));
    if (!ready) throw fault('MODEL_UNSUPPORTED', { model: waiting[0]!.name, reason: 'its layers form a circle' });
    known.add(ready.name);
    ordered.push(ready);
    waiting = waiting.filter((entry) => entry !== ready);
  }
  return ordered;
}

function inputShapeOf({ name }: ModelSpec, entries: readonly Entry[]): Shape {
  const first = entries.find(({ config }) => config['batch_input_shape'] !== undefined);
  const batchShape = first?.config['batch_input_shape'] as readonly (number | null)[] | undefined;
  const shape = batchShape?.slice(1) ?? [];
  if (shape.length === 0 || !shape.every((d): d is number => typeof d === 'number' && d > 0)) {
    throw fault('MODEL_UNSUPPORTED', { model: name, reason: 'its first layer has no fixed input shape' });
  }
  return shape;
}
