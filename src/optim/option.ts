/** The options of update rules: their kinds, ranges and defaults. */

/** An option of an update rule. */
export interface OptimizerOption<Value extends number | boolean = number | boolean> {
  readonly default: Value;
  /** What a value has to be, in words: `a number in [0, 1)`. */
  readonly expects: string;
  /** One sentence for the documentation. */
  readonly about: string;
  /** Whether a value is in range. */
  readonly accepts: (value: unknown) => boolean;
}

/** The options of an update rule, by name. */
export type OptionTable = Readonly<Record<string, OptimizerOption>>;

/** The values that a rule is made with: one for each of its options. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends OptimizerOption<infer Value> ? Value : never;
};

/** Share of the past in a running average. */
export function decayRate(defaultValue: number, about: string): OptimizerOption<number> {
  return number(defaultValue, about, 'a number of at least 0 and below 1', (v) => v >= 0 && v < 1);
}

export function nonNegative(defaultValue: number, about: string): OptimizerOption<number> {
  return number(defaultValue, about, 'a number of at least 0', (v) => v >= 0);
}

export function positive(defaultValue: number, about: string): OptimizerOption<number> {
  return number(defaultValue, about, 'a number above 0', (v) => v > 0);
}

export function number(
  defaultValue: number,
  about: string,
  expects: string,
  isInRange: (value: number) => boolean,
): OptimizerOption<number> {
  return {
    default: defaultValue,
    about,
    expects,
    accepts: (v) => typeof v === 'number' && Number.isFinite(v) && isInRange(v),
  };
}

export function toggle(about: string): OptimizerOption<boolean> {
  return { default: false, about, expects: 'true or false', accepts: (v) => typeof v === 'boolean' };
}

/** L2 regularisation, as PyTorch's `weight_decay` everywhere but in AdamW. */
export const l2WeightDecay = nonNegative(
  0,
  'L2 regularisation: weightDecay times the weight is added to its gradient.',
);
