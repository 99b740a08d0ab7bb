/** One reader for each class of layers that plans cover. */
import { fault } from './faults.js';
import type { ActivationName, Layer, LayerConfig, Pair, Shape, Window } from './topology.js';

type LayerReader = (name: string, config: LayerConfig, inputShape: Shape) => Layer;

export const layerReaders: Readonly<Record<string, LayerReader>> = {
  Conv2D,
  MaxPooling2D,
  Dense,
  Flatten,
  Activation,
  ReLU,
};

function Conv2D(name: string, config: LayerConfig, inputShape: Shape): Layer {
  const refuse = refuser(name, 'Conv2D');
  demandPlainWeights(config, refuse);
  const [height, width] = pictureShape(inputShape, refuse);
  if (pair(config['dilation_rate'] ?? 1).some((d) => d !== 1)) throw refuse('its dilation rate is not 1');
  const filters = Number(config['filters']);
  const { window, outputHeight, outputWidth } = slide(config, 'kernel_size', height, width, refuse);
  return {
    kind: 'convolution',
    name,
    inputShape,
    outputShape: [outputHeight, outputWidth, filters],
    window,
    filters,
    activation: activationName(config['activation'], refuse),
    useBias: config['use_bias'] !== false,
  };
}

function MaxPooling2D(name: string, config: LayerConfig, inputShape: Shape): Layer {
  const refuse = refuser(name, 'MaxPooling2D');
  const [height, width, channels] = pictureShape(inputShape, refuse);
  const { window, outputHeight, outputWidth } = slide(config, 'pool_size', height, width, refuse);
  return { kind: 'maxPooling', name, inputShape, outputShape: [outputHeight, outputWidth, channels], window };
}

function Dense(name: string, config: LayerConfig, inputShape: Shape): Layer {
  const refuse = refuser(name, 'Dense');
  demandPlainWeights(config, refuse);
  if (inputShape.length !== 1)
    throw refuse(`its input has the shape [${inputShape.join(', ')}]; put a Flatten before it`);
  const units = Number(config['units']);
  return {
    kind: 'dense',
    name,
    inputShape,
    outputShape: [units],
    units,
    activation: activationName(config['activation'], refuse),
    useBias: config['use_bias'] !== false,
  };
}

function Flatten(name: string, config: LayerConfig, inputShape: Shape): Layer {
  if (config['data_format'] === 'channels_first') throw refuser(name, 'Flatten')('it wants channels first');
  return { kind: 'flatten', name, inputShape, outputShape: [inputShape.reduce((size, d) => size * d, 1)] };
}

function Activation(name: string, config: LayerConfig, inputShape: Shape): Layer {
  const activation = activationName(config['activation'], refuser(name, 'Activation'));
  return { kind: 'activation', name, inputShape, outputShape: inputShape, activation };
}

function ReLU(name: string, config: LayerConfig, inputShape: Shape): Layer {
  if ((config['max_value'] ?? null) !== null) throw refuser(name, 'ReLU')('it has a maximum');
  return { kind: 'activation', name, inputShape, outputShape: inputShape, activation: 'relu' };
}

type Refuse = (reason: string) => Error;

function refuser(layer: string, className: string): Refuse {
  return (reason) => fault('LAYER_UNSUPPORTED', { layer, className, reason });
}

/** What would change the loss, or which weights are trained. */
function demandPlainWeights(config: LayerConfig, refuse: Refuse): void {
  for (const key of [
    'kernel_regularizer',
    'bias_regularizer',
    'activity_regularizer',
    'kernel_constraint',
    'bias_constraint',
  ]) {
    if ((config[key] ?? null) !== null) throw refuse(`it has a ${key}`);
  }
  if (config['trainable'] === false) throw refuse('it is not trainable');
}

function pictureShape(shape: Shape, refuse: Refuse): readonly [number, number, number] {
  const [height, width, channels, ...rest] = shape;
  if (height === undefined || width === undefined || channels === undefined || rest.length > 0) {
    throw refuse(`its input has the shape [${shape.join(', ')}], not [height, width, channels]`);
  }
  return [height, width, channels];
}

function slide(config: LayerConfig, sizeKey: string, height: number, width: number, refuse: Refuse) {
  if (config['data_format'] === 'channels_first') throw refuse('it wants channels first');
  const size = pair(config[sizeKey]);
  const stride = pair(config['strides'] ?? size);
  const padding = config['padding'] ?? 'valid';
  if (padding !== 'valid' && padding !== 'same') throw refuse(`its padding is ${JSON.stringify(padding)}`);
  const rows = slideAlong(height, size[0], stride[0], padding);
  const columns = slideAlong(width, size[1], stride[1], padding);
  if (rows.count < 1 || columns.count < 1)
    throw refuse(`a window of ${size.join(' by ')} does not fit ${height} by ${width}`);
  const window: Window = { size, stride, before: [rows.before, columns.before], after: [rows.after, columns.after] };
  return { window, outputHeight: rows.count, outputWidth: columns.count };
}

/** TensorFlow's rule: `same` gives ceil(length / stride) positions, and the odd zero goes behind. */
function slideAlong(length: number, size: number, stride: number, padding: 'valid' | 'same') {
  if (padding === 'valid') return { count: Math.floor((length - size) / stride) + 1, before: 0, after: 0 };
  const count = Math.ceil(length / stride);
  const zeros = Math.max((count - 1) * stride + size - length, 0);
  return { count, before: Math.floor(zeros / 2), after: Math.ceil(zeros / 2) };
}

function pair(value: unknown): Pair {
  const [height, width] = Array.isArray(value) ? (value as number[]) : [Number(value), Number(value)];
  return [height!, width!];
}

function activationName(value: unknown, refuse: Refuse): ActivationName {
  const name = value ?? 'linear';
  if (name === 'linear' || name === 'relu' || name === 'tanh' || name === 'sigmoid') return name;
  throw refuse(`there is no kernel for the activation ${JSON.stringify(name)}`);
}
