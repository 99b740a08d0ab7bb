import type { ActivationName, FusedActivation } from './operation.js';
import { isFused, weightOf, type LayerDescription, type LayerReader, type LayerSource, type Shape } from './source.js';
import { sizeOf } from '../../core/shape.js';

/** Names in the JSON, which writes them with underscores, and the parameter that makes a kind of kernel this activation. */
const named: Readonly<Record<string, readonly [ActivationName, number]>> = {
  elu: ['elu', 1],
  selu: ['selu', 0],
  softplus: ['softplus', 0],
  softsign: ['softsign', 0],
  hard_sigmoid: ['hardSigmoid', 0],
  relu6: ['clippedRelu', 6],
  swish: ['swish', 0],
  mish: ['mish', 0],
  gelu: ['gelu', 0],
  gelu_new: ['geluNew', 0],
};

/** An activation by its name, over the last axis where that matters. */
function activationNamed(value: unknown, shape: Shape, source: LayerSource): LayerDescription {
  if (typeof value !== 'string') throw source.refuse('its activation has no name');
  const name = value.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const same = { outputShape: shape, weights: [] };
  if (name === 'linear') return { kind: 'identity', ...same };
  if (isFused(name)) return { kind: 'activation', activation: name, parameter: 0, ...same };
  if (name === 'softmax' || name === 'log_softmax')
    return { kind: 'softmax', rows: sizeOf(shape.slice(0, -1)), logarithm: name === 'log_softmax', ...same };
  const [activation, parameter] = named[name] ?? [];
  if (activation === undefined) throw source.refuse(`there is no kernel for the activation ${JSON.stringify(value)}`);
  return { kind: 'activation', activation, parameter: parameter!, ...same };
}

/** What a convolution or a dense layer does with its activation: takes it along, or has it follow. */
export function withActivation(
  source: LayerSource,
  describe: (activation: FusedActivation) => LayerDescription,
): readonly LayerDescription[] {
  const value = source.config['activation'] ?? 'linear';
  if (isFused(value)) return [describe(value)];
  const layer = describe('linear');
  return [layer, activationNamed(value, layer.outputShape, source)];
}

const alone = (activation: ActivationName, parameter: number, { inputShape }: LayerSource): LayerDescription[] => [
  { kind: 'activation', activation, parameter, outputShape: inputShape, weights: [] },
];

const numberOf = ({ config }: LayerSource, key: string, otherwise: number): number => Number(config[key] ?? otherwise);

export const activationReaders = {
  Activation: (source) => [activationNamed(source.config['activation'], source.inputShape, source)],

  ReLU: (source) => {
    const limit = source.config['max_value'] ?? null;
    return limit === null ? alone('relu', 0, source) : alone('clippedRelu', Number(limit), source);
  },

  LeakyReLU: (source) => alone('leakyRelu', numberOf(source, 'alpha', 0.3), source),

  ELU: (source) => alone('elu', numberOf(source, 'alpha', 1), source),

  ThresholdedReLU: (source) => {
    const theta = numberOf(source, 'theta', 1);
    if (theta < 0) throw source.refuse(`its threshold is ${theta}`);
    return alone('thresholdedRelu', theta, source);
  },

  Softmax: (source) => {
    const { inputShape, config } = source;
    const axis = Number(config['axis'] ?? -1);
    if (axis !== -1 && axis !== inputShape.length) throw source.refuse(`its axis is ${axis}, not the last`);
    return [activationNamed('softmax', inputShape, source)];
  },

  PReLU: (source) => {
    const { inputShape, config, refuse } = source;
    const shared = [...((config['shared_axes'] as number[] | null | undefined) ?? [])].sort((a, b) => a - b);
    // The slopes then lie side by side, again and again.
    if (!shared.every((axis, i) => axis === i + 1)) throw refuse(`its shared axes are ${shared.join(', ')}`);
    const shape = inputShape.map((d, i) => (i < shared.length ? 1 : d));
    const rows = sizeOf(inputShape) / sizeOf(shape);
    return [{ kind: 'prelu', rows, outputShape: inputShape, weights: [weightOf(source, 'alpha', shape)] }];
  },
} satisfies Readonly<Record<string, LayerReader>>;
