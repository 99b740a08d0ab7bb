import type { TensorSlot } from '../core/layout.js';
import { fault } from './faults.js';
import type { Optimizer } from './optimizer.js';
import type { OptionTable, OptionValues } from './option.js';
import type { Rule } from './rule.js';
import { adadelta } from './rules/adadelta.js';
import { adagrad } from './rules/adagrad.js';
import { adam, adamw } from './rules/adam.js';
import { momentum, nesterov, sgd } from './rules/gradient-descent.js';
import { lamb } from './rules/lamb.js';
import { lars } from './rules/lars.js';
import { rmsprop } from './rules/rmsprop.js';
import { rprop } from './rules/rprop.js';

/** Every update rule, in the order of the documentation. */
const rules = { sgd, momentum, nesterov, adam, adamw, rmsprop, adagrad, adadelta, rprop, lars, lamb };

/** The name of an update rule. */
export type OptimizerName = keyof typeof rules;
/** The names of all update rules, in the order of the documentation. */
export const optimizerNames = Object.keys(rules) as readonly OptimizerName[];

/** One line about each rule. */
export const optimizerAbout = mapRules((rule) => rule.about);

/** The options of each rule: default, range in words, documentation. */
export const optimizerOptions: Readonly<Record<OptimizerName, OptionTable>> = mapRules((rule) => rule.options);

/**
 * @param name - one of `optimizerNames`
 * @param options - those that differ from the defaults
 * @param tensors - of the model, for LARS and LAMB; without them all weights are one tensor
 * @throws LockstepError `UNKNOWN_OPTIMIZER`, `UNKNOWN_OPTIMIZER_OPTION`, `INVALID_OPTIMIZER_OPTION`
 */
export function createOptimizer(
  name: string,
  options: Readonly<Record<string, number | boolean>> = {},
  tensors?: readonly TensorSlot[],
): Optimizer {
  if (!Object.hasOwn(rules, name)) throw fault('UNKNOWN_OPTIMIZER', { optimizer: name, known: optimizerNames });
  return create(rules[name as OptimizerName] as unknown as Rule, options, tensors);
}

function create<Table extends OptionTable>(
  rule: Rule<Table>,
  given: Readonly<Record<string, number | boolean>>,
  tensors: readonly TensorSlot[] | undefined,
): Optimizer {
  const optimizer = rule.name;
  const known = Object.keys(rule.options);
  for (const option of Object.keys(given)) {
    if (!known.includes(option)) throw fault('UNKNOWN_OPTIMIZER_OPTION', { optimizer, option, known });
  }
  const values: Record<string, number | boolean> = {};
  for (const [option, { default: defaultValue, accepts, expects }] of Object.entries(rule.options)) {
    const value = given[option] ?? defaultValue;
    if (!accepts(value)) throw fault('INVALID_OPTIMIZER_OPTION', { optimizer, option, value, expects });
    values[option] = value;
  }
  const conflict = rule.conflict?.(values as OptionValues<Table>);
  if (conflict) throw fault('INVALID_OPTIMIZER_OPTION', { optimizer, ...conflict, value: values[conflict.option] });
  return rule.create(values as OptionValues<Table>, tensors);
}

function mapRules<Value>(valueOf: (rule: { readonly about: string; readonly options: OptionTable }) => Value) {
  return Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name, valueOf(rule)])) as Record<
    OptimizerName,
    Value
  >;
}
