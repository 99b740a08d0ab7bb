import type { TensorSlot } from '../core/layout.js';
import type { LoopCall, Optimizer, OptimizerScalars, OptimizerState, StepFactors } from './optimizer.js';
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

type Numbers = LoopCall['numbers'];
type LoopParts = Pick<Optimizer, 'loop' | 'calls' | 'update'>;

/** A rule's loop over elements `begin..end-1`. `numbers` are the same for all of them. */
export type RuleLoop<N extends Numbers> = (
  from: OptimizerState,
  to: OptimizerState,
  gradientSum: Float32Array,
  numbers: N,
  begin: number,
  end: number,
) => void;

/** A rule whose calls are these. */
export function inCalls<N extends Numbers>(
  loop: Optimizer['loop'],
  calls: (...of: Parameters<Optimizer['calls']>) => readonly (LoopCall & { readonly numbers: N })[],
  run: RuleLoop<N>,
): LoopParts {
  return {
    loop,
    calls,
    update(from, to, gradientSum, scalars, factors, begin, end) {
      for (const call of calls(scalars, factors, begin, end, from.weights.length))
        run(from, to, gradientSum, call.numbers, call.begin, call.end);
    },
  };
}

/** A rule that does all elements in one call. @param scale - what makes the mean gradient of the sum */
export function inOneCall<N extends Numbers>(
  loop: Optimizer['loop'],
  numbersOf: (scale: number, factors: StepFactors, scalars: OptimizerScalars) => N,
  run: RuleLoop<N>,
): LoopParts {
  const calls = (scalars: OptimizerScalars, factors: StepFactors, begin: number, end: number) => [
    { begin, end, numbers: numbersOf(factors.clipFactor / factors.sampleCount, factors, scalars) },
  ];
  return inCalls(loop, calls, run);
}

/** Lets the compiler check a rule against its own table of options. */
export function rule<const Table extends OptionTable>(definition: Rule<Table>): Rule<Table> {
  return definition;
}
