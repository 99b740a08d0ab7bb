import type { FieldName } from '../config/schema.js';
import { factsOf, type FlagValues } from '../config/sources.js';
import { fault } from './faults.js';

/** Options of which a sweep takes several values, the one that varies fastest last. */
export const axisNames = [
  'seed',
  'model',
  'engine',
  'optimizer',
  'learningRateScaling',
  'baseBatchSize',
  'learningRate',
  'warmupSteps',
  'clipNorm',
  'workers',
  'microBatchSize',
  'batchPerWorker',
  'globalBatchSize',
] as const satisfies readonly FieldName[];

export interface GridPoint {
  /** What `lockstep train` would be given. */
  readonly flags: FlagValues;
  /** By flag, only what has several values in this grid. */
  readonly axes: Readonly<Record<string, string>>;
}

const trialsMax = 10_000;

/**
 * All combinations of the values that were given with commas between them.
 *
 * @throws LockstepError `GRID_VALUE`, `GRID_TOO_LARGE`
 */
export function gridOf(given: FlagValues): readonly GridPoint[] {
  const lists = axisNames.flatMap((name) => {
    const value = given.get(name);
    return typeof value === 'string' ? [{ name, flag: factsOf(name).flag, values: valuesIn(name, value) }] : [];
  });
  const trials = lists.reduce((product, { values }) => product * values.length, 1);
  if (trials > trialsMax) throw fault('GRID_TOO_LARGE', { trials, most: trialsMax });
  let points: readonly GridPoint[] = [{ flags: new Map(given), axes: {} }];
  for (const { name, flag, values } of lists)
    points = points.flatMap(({ flags, axes }) =>
      values.map((value) => ({
        flags: new Map([...flags, [name, value]]),
        axes: values.length > 1 ? { ...axes, [flag]: value } : axes,
      })),
    );
  return points;
}

function valuesIn(name: FieldName, text: string): readonly string[] {
  const values = text.split(',').map((value) => value.trim());
  if (values.includes('')) throw fault('GRID_VALUE', { flag: factsOf(name).flag, given: text });
  return [...new Set(values)];
}
