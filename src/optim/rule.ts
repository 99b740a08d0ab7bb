import type { TensorSlot } from '../core/layout.js';
import type { Optimizer } from './optimizer.js';
import type { OptionTable, OptionValues } from './option.js';

/** An update rule: what it is, which options it takes, and how it is made of their values. */
export interface Rule<Table extends OptionTable = OptionTable> {
  readonly name: string;
  /** One line: the formula or the idea. */
  readonly about: string;
  readonly options: Table;
  /** Relations between options, checked after each of them: the option that is wrong and what it must be. */
  readonly conflict?: (
    values: OptionValues<Table>,
  ) => { readonly option: string; readonly expects: string } | undefined;
  /** @param tensors - of the model, for rules that look at whole tensors; without them all is one tensor */
  readonly create: (values: OptionValues<Table>, tensors?: readonly TensorSlot[]) => Optimizer;
}

/** What most rules have in common: each element for itself, slots that begin with zeros, and no scalars. */
export const plain = {
  reads: 'element',
  initialSlotValue: () => 0,
  initialScalars: {},
  advance: (scalars) => scalars,
} as const satisfies Partial<Optimizer>;

/** Lets the compiler check a rule against its own table of options. */
export function rule<const Table extends OptionTable>(definition: Rule<Table>): Rule<Table> {
  return definition;
}
