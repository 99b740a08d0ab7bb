/**
 * Reads the JSON of a sequential TensorFlow.js (Keras) model into a list of layers that plans are made from.
 *
 * It does without TensorFlow.js, which takes a second and 100 MB to load.
 */
import { layoutOf, type ParameterLayout } from '../core/layout.js';
import { fault } from './faults.js';
import type { ModelSpec } from './model-spec.js';
import { layerReaders } from './topology-layers.js';

/** Height, width, channels of a picture; or features of a vector. Samples are not counted. */
export type Shape = readonly number[];

export type ActivationName = 'linear' | 'relu' | 'tanh' | 'sigmoid';

/** [height, width] */
export type Pair = readonly [number, number];

/** How a window moves over a picture, with the zeros (for pooling: nothing) that lie before and behind the picture. */
export interface Window {
  readonly size: Pair;
  readonly stride: Pair;
  /** Rows above and columns to the left of the picture. */
  readonly before: Pair;
  /** Rows below and columns to the right. */
  readonly after: Pair;
}

export type Layer = { readonly name: string; readonly inputShape: Shape; readonly outputShape: Shape } & (
  | {
      readonly kind: 'convolution';
      readonly window: Window;
      readonly filters: number;
      readonly activation: ActivationName;
      readonly useBias: boolean;
    }
  | { readonly kind: 'maxPooling'; readonly window: Window }
  | { readonly kind: 'dense'; readonly units: number; readonly activation: ActivationName; readonly useBias: boolean }
  | { readonly kind: 'flatten' }
  | { readonly kind: 'activation'; readonly activation: ActivationName }
);

export interface Topology {
  readonly inputShape: Shape;
  readonly layers: readonly Layer[];
  /** Elements of the last layer's output: the logits. */
  readonly classes: number;
}

/** Configuration of one layer, as the JSON has it. */
export type LayerConfig = Readonly<Record<string, unknown>>;

/**
 * @throws LockstepError `LAYER_UNSUPPORTED` for what no plan covers, `MODEL_UNSUPPORTED` for what is not a model with logits
 */
export function readTopology(model: ModelSpec): Topology {
  const entries = layerEntries(model);
  const inputShape = inputShapeOf(model, entries);
  const layers: Layer[] = [];
  let shape = inputShape;
  for (const { className, config } of entries) {
    if (className === 'InputLayer') continue;
    const name = String(config['name']);
    const read = layerReaders[className];
    if (!read)
      throw fault('LAYER_UNSUPPORTED', { layer: name, className, reason: 'there are no kernels for this class' });
    const layer = read(name, config, shape);
    layers.push(layer);
    shape = layer.outputShape;
  }
  const [classes, ...rest] = shape;
  if (classes === undefined || rest.length > 0) {
    throw fault('MODEL_UNSUPPORTED', { model: model.name, reason: `its output has the shape [${shape.join(', ')}]` });
  }
  return { inputShape, layers, classes };
}

/** The parameters in canonical order: by layer, kernel before bias. */
export function layoutOfTopology({ layers }: Topology): ParameterLayout {
  return layoutOf(
    layers.flatMap((layer) => {
      if (layer.kind !== 'convolution' && layer.kind !== 'dense') return [];
      const outputs = layer.kind === 'dense' ? layer.units : layer.filters;
      const fanIn = layer.kind === 'dense' ? layer.inputShape : [...layer.window.size, layer.inputShape[2]!];
      const kernel = { name: `${layer.name}.kernel`, shape: [...fanIn, outputs] };
      return layer.useBias ? [kernel, { name: `${layer.name}.bias`, shape: [outputs] }] : [kernel];
    }),
  );
}

interface LayerEntry {
  readonly className: string;
  readonly config: LayerConfig;
}

function layerEntries({ name, topology }: ModelSpec): readonly LayerEntry[] {
  const { class_name: className, config } = (topology ?? {}) as { class_name?: unknown; config?: unknown };
  const layers = Array.isArray(config) ? config : (config as { layers?: unknown } | undefined)?.layers;
  if (className !== 'Sequential' || !Array.isArray(layers)) {
    throw fault('LAYER_UNSUPPORTED', {
      layer: name,
      className: String(className),
      reason: 'plans are made for Sequential models',
    });
  }
  return (layers as { class_name: string; config: LayerConfig }[]).map((l) => ({
    className: l.class_name,
    config: l.config,
  }));
}

function inputShapeOf({ name }: ModelSpec, entries: readonly LayerEntry[]): Shape {
  const batchShape = entries[0]?.config['batch_input_shape'] as readonly (number | null)[] | undefined;
  const shape = batchShape?.slice(1) ?? [];
  if (shape.length === 0 || !shape.every((d): d is number => typeof d === 'number' && d > 0)) {
    throw fault('MODEL_UNSUPPORTED', { model: name, reason: 'its first layer has no fixed input shape' });
  }
  return shape;
}
