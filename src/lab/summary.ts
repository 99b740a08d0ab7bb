import { bestOf, reached, type TrialEnd, type TrialRecord } from './trial-record.js';

/** Mean over the seeds of a cell, and their standard deviation (0 for one). */
export interface Figure {
  readonly mean: number;
  readonly deviation: number;
}

export interface TargetFigures {
  readonly target: number;
  /** Trials that reached it; the figures are of these, and absent if there are none. */
  readonly reachedBy: number;
  readonly epochs?: Figure;
  readonly steps?: Figure;
  readonly samples?: Figure;
  readonly seconds?: Figure;
}

/** A point of the grid, over all of its seeds. */
export interface Cell {
  /** What the grid varies but the seed. */
  readonly axes: Readonly<Record<string, string>>;
  /** Samples a step: of the first, or on average where the batch varies. */
  readonly batch: number;
  readonly trials: number;
  readonly ends: readonly TrialEnd[];
  readonly iterations: Figure;
  readonly epochs: Figure;
  readonly secondsPerEpoch: Figure;
  readonly imagesPerSecond: Figure;
  readonly targets: readonly TargetFigures[];
  /** On the held-out samples, or the test set where none are held out. */
  readonly bestAccuracy: Figure;
  readonly bestEpoch: Figure;
  /**
   * On the test set, where somebody looked at it: the highest of the run, which nobody could have chosen without looking, and
   * where it ended.
   */
  readonly bestTestAccuracy?: Figure;
  readonly bestTestEpoch?: Figure;
  readonly finalTestAccuracy?: Figure;
  /** One for each seed. */
  readonly digests: readonly string[];
}

/** Cells that differ in the batch alone: one curve. */
export interface Series {
  readonly axes: Readonly<Record<string, string>>;
  /** Ascending by batch. */
  readonly cells: readonly Cell[];
}

const batchAxes = ['global-batch', 'batch-per-worker'];

export function cellsOf(trials: readonly TrialRecord[], targets: readonly number[]): readonly Cell[] {
  const groups = groupsBy(trials, ({ axes }) => JSON.stringify(without(axes, ['seed'])));
  return groups.map((group) => cellOf(group, targets));
}

export function seriesOf(cells: readonly Cell[]): readonly Series[] {
  // Where the batch follows the workers they are no curve of their own.
  const merged = curvesOf(cells, [...batchAxes, 'workers']);
  const isBatchAlone = merged.every(
    (series) => new Set(series.cells.map(({ batch }) => batch)).size === series.cells.length,
  );
  return isBatchAlone ? merged : curvesOf(cells, batchAxes);
}

function curvesOf(cells: readonly Cell[], along: readonly string[]): readonly Series[] {
  return groupsBy(cells, ({ axes }) => JSON.stringify(without(axes, along))).map((group) => ({
    axes: without(group[0]!.axes, along),
    cells: [...group].sort((a, b) => a.batch - b.batch),
  }));
}

/** `optimizer adam, lr 0.01` */
export function wordsFor(axes: Readonly<Record<string, string>>): string {
  return Object.entries(axes)
    .map(([flag, value]) => `${flag} ${value}`)
    .join(', ');
}

function cellOf(trials: readonly TrialRecord[], targets: readonly number[]): Cell {
  const figure = (of: (trial: TrialRecord) => number): Figure => figureOf(trials.map(of));
  const epochsOf = ({ samples, trainLength }: TrialRecord): number => samples / trainLength;
  const batches = trials.map(({ samples, steps, globalBatchSize, evaluations }) =>
    evaluations.some(({ batch }) => batch !== globalBatchSize) ? samples / steps : globalBatchSize,
  );
  return {
    axes: without(trials[0]!.axes, ['seed']),
    batch: Math.max(...batches),
    trials: trials.length,
    ends: trials.map(({ end }) => end),
    iterations: figure(({ steps }) => steps),
    epochs: figure(epochsOf),
    secondsPerEpoch: figure((trial) => trial.seconds / Math.max(epochsOf(trial), 1e-9)),
    imagesPerSecond: figure(({ samples, seconds }) => samples / Math.max(seconds, 1e-9)),
    targets: targets.map((target) => targetFigures(trials, target)),
    bestAccuracy: figure((trial) => bestOf(trial)?.accuracy ?? 0),
    bestEpoch: figure((trial) => bestOf(trial)?.epochs ?? 0),
    ...testFigures(trials),
    digests: trials.map(({ weightsDigest }) => weightsDigest),
  };
}

/** Nothing if one of the trials has not looked. */
function testFigures(
  trials: readonly TrialRecord[],
): Pick<Cell, 'bestTestAccuracy' | 'bestTestEpoch' | 'finalTestAccuracy'> {
  const looks = trials.map(({ evaluations }) =>
    evaluations.flatMap(({ testAccuracy, epochs }) => (testAccuracy === undefined ? [] : [{ testAccuracy, epochs }])),
  );
  if (looks.some(({ length }) => length === 0)) return {};
  const bests = looks.map((each) => each.reduce((best, look) => (look.testAccuracy > best.testAccuracy ? look : best)));
  return {
    bestTestAccuracy: figureOf(bests.map(({ testAccuracy }) => testAccuracy)),
    bestTestEpoch: figureOf(bests.map(({ epochs }) => epochs)),
    finalTestAccuracy: figureOf(looks.map((each) => each.at(-1)!.testAccuracy)),
  };
}

function targetFigures(trials: readonly TrialRecord[], target: number): TargetFigures {
  const hits = trials.flatMap((trial) => {
    const hit = reached(trial, target);
    return hit ? [{ ...hit, samples: hit.epochs * trial.trainLength }] : [];
  });
  if (hits.length === 0) return { target, reachedBy: 0 };
  return {
    target,
    reachedBy: hits.length,
    epochs: figureOf(hits.map(({ epochs }) => epochs)),
    steps: figureOf(hits.map(({ step }) => step)),
    samples: figureOf(hits.map(({ samples }) => samples)),
    seconds: figureOf(hits.map(({ seconds }) => seconds)),
  };
}

export function figureOf(values: readonly number[]): Figure {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}

function without(axes: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(axes).filter(([name]) => !names.includes(name)));
}

function groupsBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): readonly (readonly Item[])[] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}
