/** Small models that cover every kernel of the plans: strides, dilation, both paddings, odd numbers of everything. */
import * as tfl from '@tensorflow/tfjs-layers';

import type { LossName, ModelSpec } from '../../src/engine/model-spec.js';
import { modelSpecOf } from '../../src/engine/models/index.js';

const L = tfl.layers;
type Node = tfl.SymbolicTensor;

export interface LayerModel {
  readonly spec: ModelSpec;
  /** Samples are indices below this, instead of numbers. */
  readonly vocabulary?: number;
}

interface Options {
  readonly loss?: LossName;
  readonly vocabulary?: number;
}

/** A model whose layers are named by their place, so that a model made twice is the same. */
function functional(shape: readonly number[], build: (input: Node) => Node, options: Options = {}): () => LayerModel {
  return () => {
    applied = 0;
    const input = tfl.input({ shape: [...shape], name: 'samples' });
    return specified(tfl.model({ name: 'model', inputs: input, outputs: build(input) }), options);
  };
}

function sequential(layers: () => tfl.layers.Layer[], options: Options = {}): () => LayerModel {
  return () => {
    const made = layers();
    made.forEach((layer, i) => (layer.name = `layer${i}`));
    return specified(tfl.sequential({ name: 'model', layers: made }), options);
  };
}

function specified(model: tfl.LayersModel, { loss, vocabulary }: Options): LayerModel {
  return {
    spec: { ...modelSpecOf(model), ...(loss ? { loss } : {}) },
    ...(vocabulary === undefined ? {} : { vocabulary }),
  };
}

let applied = 0;

function apply(layer: tfl.layers.Layer, ...inputs: Node[]): Node {
  layer.name = `layer${applied++}`;
  return layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as Node;
}

/** The type is a fib: TensorFlow.js's list of names lacks some that it knows. */
const activations = [
  ...['elu', 'selu', 'softplus', 'softsign', 'hardSigmoid', 'relu6', 'relu', 'tanh', 'sigmoid'],
  ...['swish', 'mish', 'gelu', 'softmax', 'logSoftmax', 'linear'],
] as 'linear'[];

const dense = (units: number, more: object = {}): tfl.layers.Layer => L.dense({ units, ...more });

/** What TensorFlow.js can differentiate, and so can be compared with it. */
export const layerModels: Readonly<Record<string, () => LayerModel>> = {
  'convolutions without pooling: strides, both paddings, a wide one': sequential(() => [
    L.conv2d({ inputShape: [11, 9, 3], filters: 10, kernelSize: [3, 2], strides: [2, 1], padding: 'same' }),
    L.conv2d({ filters: 35, kernelSize: 2, strides: 2, activation: 'tanh' }),
    L.conv2d({ filters: 5, kernelSize: 1, useBias: false, activation: 'sigmoid' }),
    L.flatten(),
    dense(4),
  ]),
  'depthwise: multiplier, strides, same padding': sequential(() => [
    L.depthwiseConv2d({
      inputShape: [8, 7, 3],
      kernelSize: [3, 2],
      strides: [2, 2],
      padding: 'same',
      depthMultiplier: 2,
    }),
    L.depthwiseConv2d({ kernelSize: 2, activation: 'tanh' }),
    L.flatten(),
    dense(3),
  ]),
  'depthwise over many channels, separable': sequential(() => [
    L.separableConv2d({ inputShape: [6, 5, 19], filters: 18, kernelSize: 3, activation: 'relu' }),
    L.depthwiseConv2d({ kernelSize: [2, 1], useBias: false }),
    L.flatten(),
    dense(3),
  ]),
  'transposed: same padding, strides 2 and 1': sequential(() => [
    L.conv2dTranspose({ inputShape: [4, 5, 3], filters: 6, kernelSize: 3, strides: [2, 1], padding: 'same' }),
    L.conv2dTranspose({ filters: 2, kernelSize: [2, 3], strides: 2, activation: 'tanh' }),
    L.flatten(),
    dense(3),
  ]),
  'transposed: gaps between the windows': sequential(() => [
    L.conv2dTranspose({ inputShape: [3, 4, 2], filters: 17, kernelSize: 2, strides: 3, useBias: false }),
    L.conv2d({ filters: 3, kernelSize: 3, padding: 'same' }),
    L.flatten(),
    dense(3),
  ]),
  'average pooling: overlapping, same padding, valid': sequential(() => [
    L.averagePooling2d({ inputShape: [9, 8, 3], poolSize: 3, strides: 2, padding: 'same' }),
    L.conv2d({ filters: 9, kernelSize: 2 }),
    L.averagePooling2d({ poolSize: [2, 1] }),
    L.flatten(),
    dense(3),
  ]),
  'global pooling, average and largest, side by side': functional([6, 5, 4], (input) => {
    const features = apply(L.conv2d({ filters: 11, kernelSize: 2, activation: 'tanh' }), input);
    const pooled = [L.globalAveragePooling2d({}), L.globalMaxPooling2d({})].map((layer) => apply(layer, features));
    return apply(dense(3), apply(L.concatenate(), ...pooled));
  }),
  'batch normalisation: pictures, vectors': sequential(() => [
    L.conv2d({ inputShape: [7, 6, 2], filters: 9, kernelSize: 3, useBias: false }),
    L.batchNormalization({ momentum: 0.9 }),
    L.activation({ activation: 'relu' }),
    L.maxPooling2d({ poolSize: 2 }),
    L.batchNormalization({ epsilon: 0.01 }),
    L.flatten(),
    dense(17),
    L.batchNormalization({ epsilon: 0.1 }),
    dense(3),
  ]),
  'layer normalisation': sequential(() => [
    L.conv2d({ inputShape: [5, 4, 2], filters: 7, kernelSize: 2 }),
    L.layerNormalization(),
    L.flatten(),
    L.layerNormalization({ epsilon: 0.1 }),
    dense(3),
  ]),
  'embedding, one dimension: convolution, pooling of every kind': functional(
    [12],
    (input) => {
      const words = apply(L.embedding({ inputDim: 6, outputDim: 5 }), input);
      const features = apply(L.conv1d({ filters: 9, kernelSize: 3, padding: 'same', activation: 'tanh' }), words);
      const large = apply(L.maxPooling1d({ poolSize: 3, strides: 2, padding: 'same' }), features);
      const mean = apply(L.averagePooling1d({ poolSize: 2 }), large);
      const strided = apply(L.conv1d({ filters: 4, kernelSize: 2, strides: 2 }), mean);
      const ends = [L.globalMaxPooling1d({}), L.globalAveragePooling1d({})].map((layer) => apply(layer, strided));
      return apply(dense(3), apply(L.concatenate(), ...ends));
    },
    { vocabulary: 6 },
  ),
  'several consumers: add, multiply, average, concatenate': functional([5, 4, 3], (input) => {
    const a = apply(L.conv2d({ filters: 6, kernelSize: 2, padding: 'same' }), input);
    const b = apply(L.activation({ activation: 'tanh' }), a);
    const c = apply(L.conv2d({ filters: 6, kernelSize: 1 }), b);
    const sum = apply(L.add(), a, b, c);
    const product = apply(L.multiply(), sum, b, c);
    const mean = apply(L.average(), product, a);
    const beside = apply(L.concatenate({ axis: 2 }), mean, sum);
    return apply(dense(3), apply(L.flatten(), beside));
  }),
  'residual, from the samples themselves': functional([4, 4, 5], (input) => {
    const a = apply(L.conv2d({ filters: 5, kernelSize: 3, padding: 'same', activation: 'relu' }), input);
    const b = apply(L.add(), a, input);
    return apply(dense(3), apply(L.flatten(), apply(L.multiply(), b, input)));
  }),
  'padding, cropping, reshape, permute': sequential(() => [
    L.zeroPadding2d({
      inputShape: [4, 5, 3],
      padding: [
        [1, 0],
        [2, 1],
      ],
    }),
    L.conv2d({ filters: 4, kernelSize: 2 }),
    L.cropping2D({
      cropping: [
        [1, 0],
        [1, 2],
      ],
    }),
    L.permute({ dims: [3, 1, 2] }),
    L.reshape({ targetShape: [8, 6] }),
    L.permute({ dims: [2, 1] }),
    dense(4, { activation: 'tanh' }),
    L.flatten(),
    dense(3),
  ]),
  'dense over sequences, a frozen layer, a softmax inside': sequential(() => [
    L.dense({ inputShape: [5, 6], units: 21, activation: 'relu' }),
    L.dense({ units: 7, trainable: false }),
    L.softmax({ axis: -1 }),
    L.flatten(),
    dense(3),
  ]),
  'layers with slopes and limits': functional([17], (input) => {
    const a = apply(dense(19), input);
    const more = [L.leakyReLU({ alpha: 0.2 }), L.elu({ alpha: 1 }), L.reLU({ maxValue: 0.4 }), L.prelu()].map((layer) =>
      apply(layer, a),
    );
    return apply(dense(3), apply(L.add(), ...more));
  }),
  'slopes for channels': sequential(() => [
    L.conv2d({ inputShape: [5, 4, 2], filters: 9, kernelSize: 2 }),
    L.prelu({ sharedAxes: [1, 2] }),
    L.flatten(),
    dense(3),
  ]),
  'sigmoid cross-entropy of several outputs': sequential(() => [L.dense({ inputShape: [9], units: 6 })], {
    loss: 'sigmoidCrossEntropy',
  }),
  'sigmoid cross-entropy of one output': sequential(() => [L.dense({ inputShape: [9], units: 1 })], {
    loss: 'sigmoidCrossEntropy',
  }),
  'mean squared error of a picture': sequential(
    () => [
      L.conv2d({ inputShape: [6, 6, 2], filters: 5, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
      L.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'same', activation: 'sigmoid' }),
    ],
    { loss: 'meanSquaredError' },
  ),
  ...Object.fromEntries(
    activations.map((activation) => [
      `the activation ${activation}`,
      sequential(() => [
        L.conv2d({ inputShape: [4, 5, 2], filters: 7, kernelSize: 2, activation }),
        L.flatten(),
        dense(19, { activation }),
        dense(3),
      ]),
    ]),
  ),
};

/** What TensorFlow.js refuses, cannot load from its own JSON, or draws by chance: compared with slopes of the loss. */
export const ownModels: Readonly<Record<string, () => LayerModel>> = {
  'dilated convolutions, with a stride, both paddings': sequential(() => [
    L.conv2d({
      inputShape: [9, 8, 3],
      filters: 10,
      kernelSize: 3,
      dilationRate: 2,
      padding: 'same',
      activation: 'tanh',
    }),
    L.conv2d({ filters: 17, kernelSize: [2, 3], dilationRate: [3, 1] }),
    L.depthwiseConv2d({ kernelSize: 2, dilationRate: [1, 2], activation: 'sigmoid' }),
    L.flatten(),
    dense(3),
  ]),
  'dilation in one dimension': sequential(() => [
    L.conv1d({ inputShape: [11, 3], filters: 5, kernelSize: 3, dilationRate: 2, padding: 'same' }),
    L.flatten(),
    dense(3),
  ]),
  'normalisation without scale or centre': sequential(() => [
    L.conv2d({ inputShape: [7, 6, 2], filters: 9, kernelSize: 3 }),
    L.batchNormalization({ scale: false }),
    L.activation({ activation: 'tanh' }),
    L.layerNormalization({ center: false }),
    L.flatten(),
    L.batchNormalization({ center: false }),
    L.layerNormalization({ scale: false }),
    dense(3),
  ]),
  'a threshold, at 0, where it does not jump': sequential(() => [
    L.dense({ inputShape: [9], units: 20 }),
    L.thresholdedReLU({ theta: 0 }),
    dense(3),
  ]),
  'the activation gelu_new': sequential(() => [
    L.dense({ inputShape: [9], units: 20, activation: 'gelu_new' }),
    dense(3),
  ]),
  dropout: sequential(() => [
    L.dense({ inputShape: [9], units: 22, activation: 'tanh' }),
    L.dropout({ rate: 0.4 }),
    dense(19),
    L.dropout({ rate: 0.25 }),
    dense(3),
  ]),
};
