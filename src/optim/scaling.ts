/**
 * Learning rates for another batch size than the one that they were found for. k is the batch over the base batch.
 *
 *     linear    lr k                                             for gradient descent (Goyal et al. 2017)
 *     sqrt      lr sqrt(k); beta^k for every beta of a squared   for rules that divide by a running root mean square
 *               or plain gradient; epsilon / sqrt(k)             (Malladi et al. 2022; beta^k: Busbridge et al. 2023)
 *
 * Curvature bounds how large a rate can be, whatever the batch (Shallue et al. 2018): beyond the batch whose rate is the
 * largest that is allowed, all stays as it is there.
 *
 * Momentum needs no correction when the learning rate changes, as it stays outside of the buffer (all rules but LARS).
 */
import { pow } from '../core/maths.js';
import { fault } from './faults.js';
import { optimizerOptions, type OptimizerName } from './registry.js';

export const scalingRules = ['none', 'linear', 'sqrt', 'auto'] as const;
export type ScalingRule = (typeof scalingRules)[number];

type Options = Readonly<Record<string, number | boolean>>;

/** A learning rate with the options of its update rule. */
export interface RateAndOptions {
  readonly learningRate: number;
  readonly options: Options;
}

/** What was found for the base batch. */
export interface GivenRate extends RateAndOptions {
  /** No batch gets a larger one. */
  readonly learningRateMax?: number | undefined;
}

/** Which rule fits which optimizer; none where the learning rate is no length of a step. */
const fitting: Readonly<Record<OptimizerName, 'none' | 'linear' | 'sqrt'>> = {
  sgd: 'linear',
  momentum: 'linear',
  nesterov: 'linear',
  lars: 'linear',
  adam: 'sqrt',
  adamw: 'sqrt',
  lamb: 'sqrt',
  rmsprop: 'sqrt',
  adagrad: 'sqrt',
  adadelta: 'none',
  rprop: 'none',
};

/** Options that hold a share of the past, per step; a step that is k times as large forgets k times as much. */
const decayOptions = ['beta1', 'beta2', 'rho'];

/** What `auto` means for an update rule. */
export function resolveScaling(rule: ScalingRule, optimizer: string): 'none' | 'linear' | 'sqrt' {
  return rule === 'auto' ? fitting[optimizer as OptimizerName] : rule;
}

/**
 * @param given - found for the base batch
 * @param times - batch over base batch, above 0: k, but for the bound
 * @throws LockstepError `SCALING_DOES_NOT_FIT` for `sqrt` and `linear` where they say nothing
 */
export function scaleToBatch(
  { learningRateMax = Infinity, ...given }: GivenRate,
  rule: ScalingRule,
  optimizer: string,
  times: number,
): RateAndOptions {
  const resolved = resolveScaling(rule, optimizer);
  const most = learningRateMax / given.learningRate;
  const k = Math.min(times, resolved === 'sqrt' ? most * most : most);
  if (resolved === 'none' || k === 1) return given;
  if (fitting[optimizer as OptimizerName] === 'none') throw fault('SCALING_DOES_NOT_FIT', { rule, optimizer });
  if (resolved === 'linear') return { ...given, learningRate: given.learningRate * k };
  const root = Math.sqrt(k);
  const options: Record<string, number | boolean> = { ...given.options };
  for (const [name, { default: defaultValue }] of Object.entries(optimizerOptions[optimizer as OptimizerName])) {
    const value = given.options[name] ?? defaultValue;
    if (typeof value !== 'number' || value === 0) continue;
    if (decayOptions.includes(name)) options[name] = pow(value, k);
    else if (name === 'epsilon') options[name] = value / root;
  }
  return { learningRate: given.learningRate * root, options };
}

/**
 * Steps of warm-up where none are given: a learning rate that was scaled up is reached over part of the first epoch, all of
 * it when k is large.
 */
export function warmupSteps(rule: ScalingRule, optimizer: string, k: number, stepsPerEpoch: number): number {
  return resolveScaling(rule, optimizer) === 'none' || k <= 1 ? 0 : Math.ceil(stepsPerEpoch * (1 - 1 / k));
}
