import type { Arena } from '../core/arena.js';
import { weightsDigest } from '../core/digest.js';
import { randomStream } from '../core/random.js';
import { createOptimizer, optimizerNames, type OptimizerName } from '../optim/registry.js';
import { CompiledLoops } from './compiled-loops.js';
import type { Kernels } from './kernels.js';
import type { LossName } from './model-spec.js';
import { compilePlan, forEachBlock } from './plan/plan.js';
import { layoutOfTopology, readTopology, type Topology } from './topology.js';

/** What `answerOf` gives for right kernels, at any width. It changes when the numerics do: `numericsVersion`. */
export const knownAnswer = '1bb250598317c9c1416ffc72125d91fddfcf3b1ad05f9a068eb5dc9dfc0d48e3';

type Config = Readonly<Record<string, unknown>>;

/** A layer of a functional model, as the JSON has it. @param inputs - names of layers */
function layer(className: string, name: string, inputs: readonly string[], config: Config = {}) {
  return {
    class_name: className,
    name,
    config: { name, ...config },
    inbound_nodes: [inputs.map((input) => [input, 0, 0, {}])],
  };
}

function modelOf(shape: readonly number[], loss: LossName, ...layers: readonly ReturnType<typeof layer>[]): Topology {
  const input = layer('InputLayer', 'in', [], { batch_input_shape: [null, ...shape] });
  const ends = { input_layers: [['in', 0, 0]], output_layers: [[layers.at(-1)!.name, 0, 0]] };
  const topology = { class_name: 'Model', config: { layers: [{ ...input, inbound_nodes: [] }, ...layers], ...ends } };
  return readTopology({ name: 'known answer', topology, inputScaling: { scale: 1, mean: 0, deviation: 1 }, loss });
}

/** Between them no instruction is left out: strides, dilation, borders, every kind of everything, odd numbers. */
const models: readonly Topology[] = [
  modelOf(
    [13, 15, 3],
    'softmaxCrossEntropy',
    layer('Conv2D', 'a', ['in'], { filters: 9, kernel_size: 3, strides: 1, padding: 'same', activation: 'relu' }),
    layer('MaxPooling2D', 'b', ['a'], { pool_size: 2, strides: 2 }),
    layer('Conv2D', 'c', ['b'], {
      filters: 21,
      kernel_size: [2, 3],
      strides: [1, 2],
      activation: 'tanh',
      use_bias: false,
    }),
    layer('MaxPooling2D', 'd', ['c'], { pool_size: [3, 2], strides: [2, 1] }),
    layer('Activation', 'e', ['d'], { activation: 'sigmoid' }),
    layer('Flatten', 'f', ['e']),
    layer('Dense', 'g', ['f'], { units: 19, activation: 'tanh' }),
    layer('Dense', 'h', ['g'], { units: 5 }),
  ),
  modelOf(
    [7, 6, 5],
    'sigmoidCrossEntropy',
    layer('Conv2D', 'a', ['in'], { filters: 9, kernel_size: 2, strides: 1, dilation_rate: 2, padding: 'same' }),
    layer('BatchNormalization', 'b', ['a']),
    layer('DepthwiseConv2D', 'c', ['b'], { kernel_size: 3, strides: 2, padding: 'same', depth_multiplier: 2 }),
    layer('Conv2DTranspose', 'd', ['c'], { filters: 6, kernel_size: 3, strides: 2, padding: 'same' }),
    layer('AveragePooling2D', 'e', ['d'], { pool_size: 3, strides: 1, padding: 'same' }),
    layer('Multiply', 'f', ['d', 'e']),
    layer('Concatenate', 'g', ['d', 'f', 'e']),
    layer('PReLU', 'h', ['g'], { shared_axes: [1, 2] }),
    layer('LayerNormalization', 'i', ['h']),
    layer('Permute', 'j', ['i'], { dims: [3, 1, 2] }),
    layer('Dropout', 'k', ['j'], { rate: 0.3 }),
    layer('BatchNormalization', 'l', ['k']),
    layer('Activation', 'm', ['l'], { activation: 'relu' }),
    layer('Flatten', 'n', ['m']),
    layer('Dense', 'o', ['n'], { units: 3 }),
  ),
  modelOf(
    [6],
    'meanSquaredError',
    layer('Embedding', 'a', ['in'], { input_dim: 4, output_dim: 7 }),
    ...['elu', 'selu', 'softplus', 'softsign', 'hard_sigmoid', 'relu6', 'swish', 'mish', 'gelu', 'gelu_new'].map(
      (activation) => layer('Activation', activation, ['a'], { activation }),
    ),
    layer('LeakyReLU', 'leaky', ['a']),
    layer('ThresholdedReLU', 'thresholded', ['a'], { theta: 0.1 }),
    layer('Softmax', 'softmax', ['a'], { axis: -1 }),
    layer('Activation', 'logarithm', ['a'], { activation: 'log_softmax' }),
    layer('Average', 'b', ['elu', 'selu', 'softplus', 'softsign', 'hard_sigmoid', 'relu6', 'swish', 'mish', 'gelu']),
    layer('Add', 'c', ['b', 'gelu_new', 'leaky', 'thresholded', 'softmax', 'logarithm']),
    layer('Dense', 'd', ['c'], { units: 3, activation: 'linear' }),
  ),
];

const microBatchSize = 6;
/** So that the second block is a short one. */
const blockSize = 4;

/**
 * Digest of the gradients of small models that leave no kernel out, each added to the gradient of its first samples, and of
 * the weights and the state after some steps of every update rule. Two
 * sets of kernels with the same answer compute the same bits. Takes some milliseconds.
 *
 * @param kernels - over `arena`, which has some room taken
 */
export function answerOf(kernels: Kernels, arena: Arena): string {
  const answers = [...models.map((topology) => gradientOf(topology, kernels, arena)), ...updatesOf(kernels, arena)];
  const all = new Float32Array(answers.reduce((length, answer) => length + answer.length, 0));
  let at = 0;
  for (const answer of answers) {
    all.set(answer, at);
    at += answer.length;
  }
  return weightsDigest(all);
}

/** Rules with what switches on the rest of their loops. */
const rules: readonly (readonly [OptimizerName, Readonly<Record<string, boolean | number>>])[] = [
  ...optimizerNames.map((name) => [name, {}] as const),
  ['adam', { amsgrad: true, weightDecay: 0.1 }],
  ['rmsprop', { centered: true, momentum: 0.9 }],
  ['rmsprop', { centered: true, weightDecay: 0.1 }],
  ['rmsprop', { momentum: 0.9 }],
];

/** What each rule makes of three gradients. */
function updatesOf(kernels: Kernels, arena: Arena): Float32Array[] {
  const loops = new CompiledLoops(kernels, arena);
  const length = 41; //                                         of no vector a multiple
  const gradient = arena.float32(length);
  const random = randomStream(2, 'known answer');
  const factors = { learningRate: 0.01, sampleCount: 3, clipFactor: 0.9 };
  return rules.flatMap(([name, options]) => {
    const rule = loops.optimizer(createOptimizer(name, options));
    const state = {
      weights: arena.float32(length),
      slots: rule.slots.map((slot) => arena.float32(length).fill(rule.initialSlotValue(slot, factors.learningRate))),
    };
    for (let i = 0; i < length; i++) state.weights[i] = random.uniform() - 0.5;
    let scalars = rule.initialScalars;
    for (let step = 0; step < 3; step++) {
      for (let i = 0; i < length; i++) gradient[i] = random.uniform() - 0.5;
      scalars = rule.advance(scalars);
      rule.update(state, state, gradient, scalars, factors, 0, length);
    }
    return [state.weights, ...state.slots, Float32Array.of(loops.sumOfSquares(state.weights, 0, length))];
  });
}

/** Of a whole micro-batch and a short one, and the loss of an evaluation. */
function gradientOf(topology: Topology, kernels: Kernels, arena: Arena): Float32Array {
  const { parameterCount, weightCount, extraCount } = layoutOfTopology(topology);
  const cut = topology.layers.some(({ kind }) => kind === 'batchNormalisation') ? microBatchSize : blockSize;
  const plan = compilePlan(topology, microBatchSize, arena, kernels.lane_count(), 1, cut);
  const { x, y, targets } = plan;
  const weights = arena.float32(weightCount);
  const [sum, part, whole] = [0, 1, 2].map(() => arena.float32(parameterCount + extraCount)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const random = randomStream(1, 'known answer');
  for (const vector of [x, weights]) for (let i = 0; i < vector.length; i++) vector[i] = random.uniform() - 0.5;
  for (let i = parameterCount; i < weightCount; i++) weights[i] = random.uniform(); // a variance is not negative
  if (topology.loss === 'meanSquaredError') for (let i = 0; i < x.length; i++) x[i] = i % 4; // indices
  for (let i = 0; i < y.length; i++) y[i] = i % topology.outputs;
  for (let i = 0; i < targets.length; i++) targets[i] = i % 2;
  const run = (
    { address, length }: { readonly address: number; readonly length: number },
    m: number,
    to: Float32Array,
  ) => kernels.run_program(0, address, length, m, weights.byteOffset, to.byteOffset);
  run(plan.packing, 1, sum);
  const place = { position: 7, epoch: 2 };
  forEachBlock(plan, microBatchSize, place, (m) => run(plan.gradient, m, sum));
  forEachBlock(plan, 3, place, (m) => run(plan.gradient, m, part));
  forEachBlock(plan, microBatchSize, place, (m) => run(plan.evaluation, m, whole));
  kernels.add(0, sum.byteOffset, part.byteOffset, sum.length);
  kernels.add(0, sum.byteOffset, whole.byteOffset, sum.length);
  return sum;
}
