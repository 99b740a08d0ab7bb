/** Layers that move numbers, or mask them. */
import { pictureOf, shapeOf, type LayerReader, type LayerSource, type Pair, type Picture } from './source.js';
import { sizeOf } from '../../core/shape.js';

const identity = (outputShape: readonly number[]) => ({ kind: 'identity', outputShape, weights: [] }) as const;

/** [[top, bottom], [left, right]] as the JSON has it: a number, two, or four. */
function borders(value: unknown): readonly [Pair, Pair] {
  const [rows, columns] = (Array.isArray(value) ? value : [value, value]) as (number | [number, number])[];
  const both = (d: number | [number, number] | undefined): Pair => (Array.isArray(d) ? d : [d ?? 0, d ?? 0]);
  return [both(rows), both(columns)];
}

/** @param sign - 1 for zeros around the picture, -1 for what is cut off */
const framed =
  (kind: 'padding' | 'cropping', key: string, sign: 1 | -1): LayerReader =>
  (source: LayerSource) => {
    const from = pictureOf(source);
    const [[top, bottom], [left, right]] = borders(source.config[key]);
    const to: Picture = [from[0] + sign * (top + bottom), from[1] + sign * (left + right), from[2]];
    if (to[0] < 1 || to[1] < 1) throw source.refuse('nothing is left of its input');
    return [{ kind, from, to, before: [top, left], outputShape: shapeOf(to, source.inputShape), weights: [] }];
  };

export const shapeReaders = {
  Flatten: ({ inputShape, config, refuse }) => {
    if (config['data_format'] === 'channels_first') throw refuse('it wants channels first');
    return [identity([sizeOf(inputShape)])];
  },

  Reshape: ({ inputShape, config }) => {
    const wanted = config['target_shape'] as (number | null)[];
    const known = wanted.reduce<number>((size, d) => (d === null || d < 0 ? size : size * d), 1);
    return [identity(wanted.map((d) => (d === null || d < 0 ? sizeOf(inputShape) / known : d)))];
  },

  Permute: ({ inputShape, config, refuse }) => {
    const dims = config['dims'] as number[];
    if (inputShape.length > 3) throw refuse(`its input has ${inputShape.length} axes`);
    const missing = 3 - inputShape.length;
    const [a, b, c] = [...Array<number>(missing).fill(1), ...inputShape];
    const order = [0, 1, 2].map((i) => (i < missing ? i : dims[i - missing]! - 1 + missing));
    const outputShape = dims.map((d) => inputShape[d - 1]!);
    return [{ kind: 'permutation', from: [a!, b!, c!], order, outputShape, weights: [] }];
  },

  ZeroPadding2D: framed('padding', 'padding', 1),
  Cropping2D: framed('cropping', 'cropping', -1),

  Dropout: ({ inputShape, config, refuse }) => {
    const rate = Number(config['rate']);
    if ((config['noise_shape'] ?? null) !== null) throw refuse('it has a noise_shape');
    return rate === 0 ? [identity(inputShape)] : [{ kind: 'dropout', rate, outputShape: inputShape, weights: [] }];
  },
} satisfies Readonly<Record<string, LayerReader>>;
