import { withActivation } from './activation.js';
import {
  biasOf,
  pair,
  pictureOf,
  shapeOf,
  slide,
  slideAlong,
  weightOf,
  type LayerDescription,
  type LayerReader,
  type LayerSource,
  type Pair,
  type Picture,
} from './source.js';

function convolution(source: LayerSource): readonly LayerDescription[] {
  const from = pictureOf(source);
  const filters = Number(source.config['filters']);
  const { window, positions } = slide(source, from, 'kernel_size');
  const { useBias, bias } = biasOf(source, filters);
  const isSequence = source.inputShape.length === 2;
  const size = isSequence ? window.size.slice(1) : window.size;
  const kernel = weightOf(source, 'kernel', [...size, from[2], filters]);
  const to: Picture = [...positions, filters];
  const shape = { outputShape: shapeOf(to, source.inputShape), weights: [kernel, ...bias] };
  return withActivation(source, (activation) => ({
    ...{ kind: 'convolution', from, to, window, activation, useBias },
    ...shape,
  }));
}

function depthwise(source: LayerSource): readonly LayerDescription[] {
  const from = pictureOf(source);
  const multiplier = Number(source.config['depth_multiplier'] ?? 1);
  const { window, positions } = slide(source, from, 'kernel_size');
  const { useBias, bias } = biasOf(source, from[2] * multiplier);
  const kernel = weightOf(source, 'depthwise_kernel', [...window.size, from[2], multiplier], 'depthwise');
  const to: Picture = [...positions, from[2] * multiplier];
  return withActivation(source, (activation) => ({
    ...{ kind: 'depthwiseConvolution', from, to, window, multiplier, activation, useBias },
    ...{ outputShape: shapeOf(to, source.inputShape), weights: [kernel, ...bias] },
  }));
}

/** A depthwise convolution, and behind it one of single elements, which has the bias and the activation. */
function separable(source: LayerSource): readonly LayerDescription[] {
  const from = pictureOf(source);
  const multiplier = Number(source.config['depth_multiplier'] ?? 1);
  const filters = Number(source.config['filters']);
  const { window, positions } = slide(source, from, 'kernel_size');
  const channels = from[2] * multiplier;
  const between: Picture = [...positions, channels];
  const to: Picture = [...positions, filters];
  const { useBias, bias } = biasOf(source, filters);
  const deep = weightOf(source, 'depthwise_kernel', [...window.size, from[2], multiplier], 'depthwise');
  const wide = weightOf(source, 'pointwise_kernel', [1, 1, channels, filters], 'pointwise');
  const ones: Pair = [1, 1];
  const point = { size: ones, stride: ones, dilation: ones, before: [0, 0], after: [0, 0] } as const;
  return [
    {
      ...{ kind: 'depthwiseConvolution', from, to: between, window, multiplier, activation: 'linear', useBias: false },
      ...{ outputShape: between, weights: [deep] },
    },
    ...withActivation(source, (activation) => ({
      ...{ kind: 'convolution', from: between, to, window: point, activation, useBias },
      ...{ outputShape: to, weights: [wide, ...bias] },
    })),
  ];
}

function transposed(source: LayerSource): readonly LayerDescription[] {
  const { config, refuse } = source;
  const from = pictureOf(source);
  const filters = Number(config['filters']);
  const size = pair(config['kernel_size']);
  const stride = pair(config['strides'] ?? 1);
  const padding = config['padding'] ?? 'valid';
  if (padding !== 'valid' && padding !== 'same') throw refuse(`its padding is ${JSON.stringify(padding)}`);
  if (pair(config['dilation_rate'] ?? 1).some((d) => d !== 1)) throw refuse('its dilation rate is not 1');
  // The convolution that it is the transpose of goes over the output, whose length follows TensorFlow's rule.
  const along = [0, 1].map((axis) => {
    const [length, extent, step] = [from[axis]!, size[axis]!, stride[axis]!];
    const output = padding === 'same' ? length * step : length * step + Math.max(extent - step, 0);
    return { output, ...slideAlong(output, extent, step, padding) };
  });
  const [rows, columns] = [along[0]!, along[1]!];
  const to: Picture = [rows.output, columns.output, filters];
  const { useBias, bias } = biasOf(source, filters);
  const zeros = { before: [rows.before, columns.before], after: [rows.after, columns.after] } as const;
  const window = { size, stride, dilation: [1, 1], ...zeros } as const;
  return withActivation(source, (activation) => ({
    ...{ kind: 'transposedConvolution', from, to, window, activation, useBias },
    ...{ outputShape: to, weights: [weightOf(source, 'kernel', [...size, filters, from[2]]), ...bias] },
  }));
}

export const convolutionReaders = {
  Conv1D: convolution,
  Conv2D: convolution,
  DepthwiseConv2D: depthwise,
  SeparableConv2D: separable,
  Conv2DTranspose: transposed,
} satisfies Readonly<Record<string, LayerReader>>;
