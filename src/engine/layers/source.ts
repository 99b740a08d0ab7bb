/** What readers of layers have in common. */
import type { TensorSpec } from '../../core/layout.js';
import { fault } from '../faults.js';
import type { FusedActivation, Operation, Window } from './operation.js';

/** Height, width, channels of a picture; length, channels of a sequence; features of a vector. Samples are not counted. */
export type Shape = readonly number[];

/** [height, width] */
export type Pair = readonly [number, number];

/** [height, width, channels]; a sequence is a picture of height 1. */
export type Picture = readonly [number, number, number];

/** Configuration of one layer, as the JSON has it. */
export type LayerConfig = Readonly<Record<string, unknown>>;

/** A layer of the JSON, with what its inputs are. */
export interface LayerSource {
  readonly name: string;
  readonly config: LayerConfig;
  readonly inputShapes: readonly Shape[];
  /** Of the first input. */
  readonly inputShape: Shape;
  readonly refuse: (reason: string) => Error;
}

/** Name and inputs come from the model. */
export type LayerDescription = Operation & { readonly outputShape: Shape; readonly weights: readonly TensorSpec[] };

/** @returns one operation, or several in a row. Throws LockstepError `LAYER_UNSUPPORTED` */
export type LayerReader = (source: LayerSource) => readonly LayerDescription[];

export function layerSource(
  name: string,
  className: string,
  config: LayerConfig,
  inputShapes: readonly Shape[],
): LayerSource {
  const refuse = (reason: string): Error => fault('LAYER_UNSUPPORTED', { layer: name, className, reason });
  if ((config['activity_regularizer'] ?? null) !== null) throw refuse('it has an activity_regularizer');
  return { name, config, inputShapes, inputShape: inputShapes[0]!, refuse };
}

/** A weight with its penalty, trained unless the layer is frozen. @param role - as TensorFlow.js calls it: `kernel` */
export function weightOf({ name, config, refuse }: LayerSource, role: string, shape: Shape, key = role): TensorSpec {
  if ((config[`${key}_constraint`] ?? null) !== null) throw refuse(`it has a ${key}_constraint`);
  const regulariser = config[`${key}_regularizer`] as { config: { l1?: number; l2?: number } } | null | undefined;
  const penalty = regulariser && { l1: regulariser.config.l1 ?? 0, l2: regulariser.config.l2 ?? 0 };
  return {
    name: `${name}.${role}`,
    shape,
    ...(config['trainable'] === false ? { trainable: false } : {}),
    ...(penalty && (penalty.l1 !== 0 || penalty.l2 !== 0) ? { penalty } : {}),
  };
}

/** @returns the bias as a list of one, or none */
export function biasOf(source: LayerSource, size: number): { useBias: boolean; bias: readonly TensorSpec[] } {
  const useBias = source.config['use_bias'] !== false;
  return { useBias, bias: useBias ? [weightOf(source, 'bias', [size])] : [] };
}

/** The configuration of a layer over sequences as that of one over pictures of height 1. */
export function asPicture(shape: Shape, refuse: LayerSource['refuse']): Picture {
  const [a, b, c, ...rest] = shape;
  if (a !== undefined && b !== undefined && rest.length === 0) return c === undefined ? [1, a, b] : [a, b, c];
  throw refuse(`its input has the shape [${shape.join(', ')}], not [height, width, channels]`);
}

export function pictureOf({ inputShape, config, refuse }: LayerSource): Picture {
  if (config['data_format'] === 'channels_first') throw refuse('it wants channels first');
  return asPicture(inputShape, refuse);
}

/** As the input had it: a sequence stays one. */
export function shapeOf([height, width, channels]: Picture, like: Shape): Shape {
  return like.length === 2 ? [width, channels] : [height, width, channels];
}

/** A number for both directions, [height, width], or [length] of a sequence. @param other - the height of a sequence's */
export function pair(value: unknown, other = 1): Pair {
  const list = Array.isArray(value) ? (value as number[]) : [Number(value), Number(value)];
  return list.length === 1 ? [other, list[0]!] : [list[0]!, list[1]!];
}

/** How many positions a window has along each direction, and what lies before and behind the picture. */
export function slide(
  { config, refuse, inputShape }: LayerSource,
  [height, width]: Picture,
  sizeKey: string,
): { readonly window: Window; readonly positions: Pair } {
  const isSequence = inputShape.length === 2;
  const along = (value: unknown): Pair => (isSequence ? [1, pair(value)[1]] : pair(value));
  const size = along(config[sizeKey]);
  const stride = along(config['strides'] ?? config[sizeKey]);
  const dilation = along(config['dilation_rate'] ?? 1);
  const padding = config['padding'] ?? 'valid';
  if (padding !== 'valid' && padding !== 'same') throw refuse(`its padding is ${JSON.stringify(padding)}`);
  const rows = slideAlong(height, (size[0] - 1) * dilation[0] + 1, stride[0], padding);
  const columns = slideAlong(width, (size[1] - 1) * dilation[1] + 1, stride[1], padding);
  if (rows.count < 1 || columns.count < 1)
    throw refuse(`a window of ${size.join(' by ')} does not fit ${height} by ${width}`);
  const zeros = { before: [rows.before, columns.before], after: [rows.after, columns.after] } as const;
  return { window: { size, stride, dilation, ...zeros }, positions: [rows.count, columns.count] };
}

/** TensorFlow's rule: `same` gives ceil(length / stride) positions, and the odd zero goes behind. */
export function slideAlong(length: number, size: number, stride: number, padding: 'valid' | 'same') {
  if (padding === 'valid') return { count: Math.floor((length - size) / stride) + 1, before: 0, after: 0 };
  const count = Math.ceil(length / stride);
  const zeros = Math.max((count - 1) * stride + size - length, 0);
  return { count, before: Math.floor(zeros / 2), after: Math.ceil(zeros / 2) };
}

const fused = ['linear', 'relu', 'tanh', 'sigmoid'] as const;

export function isFused(name: unknown): name is FusedActivation {
  return (fused as readonly unknown[]).includes(name);
}
