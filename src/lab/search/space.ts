import { exp, log } from '../../core/maths.js';
import { factsOf, fieldOfFlag, type FlagValues } from '../../config/sources.js';
import { axisNames } from '../grid.js';
import { fault } from '../faults.js';

/** One option that a search may choose: a flag of `train`, or an option of the update rule. */
export interface Dimension {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  /** Whether equal ratios count as equal distances. */
  readonly isLogarithmic: boolean;
  /** Values are multiples of it; 0 for any. */
  readonly step: number;
}

const form = /^([\w-]+)=([\d.e+-]+)\.\.([\d.e+-]+)(?::(.*))?$/i;

/**
 * `lr=0.001..1:log`, `momentum=0..0.99`, `global-batch=32..512:log,step=32`
 *
 * @throws LockstepError `SPACE_INVALID`
 */
export function parseDimension(text: string): Dimension {
  const [, name = '', lowText = '', highText = '', settings = ''] = form.exec(text) ?? [];
  const [low, high] = [Number(lowText), Number(highText)];
  const parts = settings === '' ? [] : settings.split(',');
  const isLogarithmic = parts.includes('log');
  const steps = parts.filter((part) => part !== 'log').map((part) => Number(/^step=([\d.]+)$/.exec(part)?.[1] ?? NaN));
  const step = steps[0] ?? 0;
  const isRange = name !== '' && low < high && steps.length < 2 && step >= 0 && (!isLogarithmic || low > 0);
  if (!isRange) throw fault('SPACE_INVALID', { given: text });
  return { name, low, high, isLogarithmic, step };
}

/** @param x - in 0..1 */
export function valueAt({ low, high, isLogarithmic, step }: Dimension, x: number): number {
  const value = isLogarithmic ? exp(log(low) + (log(high) - log(low)) * x) : low + (high - low) * x;
  if (step > 0)
    return Math.min(Math.floor(high / step), Math.max(Math.ceil(low / step), Math.round(value / step))) * step;
  return Number(value.toPrecision(6));
}

/** The flags of the trial at this place: `position` in 0..1, one for each dimension. */
export function flagsAt(given: FlagValues, space: readonly Dimension[], position: readonly number[]): FlagValues {
  const flags = new Map(given);
  const options = [...((given.get('optimizerOptions') as readonly string[] | undefined) ?? [])];
  for (const [i, dimension] of space.entries()) {
    const text = String(valueAt(dimension, position[i]!));
    const name = fieldOfFlag(dimension.name);
    if (name === undefined) options.push(`${dimension.name}=${text}`);
    else flags.set(name, text);
  }
  if (options.length > 0) flags.set('optimizerOptions', options);
  return flags;
}

/** @throws LockstepError `SPACE_INVALID` for a flag that no search can choose */
export function checkSpace(space: readonly Dimension[]): void {
  for (const { name, low, high } of space) {
    const field = fieldOfFlag(name);
    const isFree = field === undefined || (axisNames as readonly string[]).includes(field);
    if (!isFree || (field && factsOf(field).placeholder === undefined))
      throw fault('SPACE_INVALID', { given: `${name}=${low}..${high}` });
  }
}
