import { fitSteps, type StepsFit } from './fit.js';
import { wordsFor, type Cell, type Series } from './summary.js';

/** What a series says, by numbers and in words. */
export interface Finding {
  readonly axes: Readonly<Record<string, string>>;
  /** The target of steps and times: the highest that at least three batch sizes reached, else that most of them did. */
  readonly target: number | undefined;
  readonly fit: StepsFit | undefined;
  /** Batch sizes. */
  readonly timeOptimal: number | undefined;
  readonly accuracyOptimal: number | undefined;
  readonly largestUseful: number | undefined;
  readonly words: readonly string[];
}

/** A batch is useful while it needs at most so many times the samples of the most economical one. */
const usefulFactor = 2;

export function findingOf({ axes, cells }: Series): Finding {
  const target = targetOf(cells);
  const hits = cells.flatMap((cell) => {
    const { steps, samples, seconds } = cell.targets.find((t) => t.target === target) ?? {};
    return steps && samples && seconds
      ? [{ batch: cell.batch, steps: steps.mean, samples: samples.mean, seconds: seconds.mean }]
      : [];
  });
  const fit = fitSteps(hits);
  const least = (of: (hit: (typeof hits)[number]) => number) =>
    hits.reduce<(typeof hits)[number] | undefined>(
      (best, hit) => (best && of(best) <= of(hit) ? best : hit),
      undefined,
    );
  const fastest = least(({ seconds }) => seconds);
  const cheapest = least(({ samples }) => samples);
  const useful = hits.filter(({ samples }) => cheapest && samples <= usefulFactor * cheapest.samples);
  const largest = Math.max(...useful.map(({ batch }) => batch));
  const accurate = cells
    .filter(({ ends }) => ends.some((end) => end !== 'diverged'))
    .reduce<Cell | undefined>(
      (best, cell) => (best && best.bestAccuracy.mean >= cell.bestAccuracy.mean ? best : cell),
      undefined,
    );
  const about = wordsFor(axes);
  const words = [
    ...(about ? [`With ${about}:`] : []),
    ...(fastest
      ? [`Time: a batch of ${round(fastest.batch)} reached ${target} first, after ${round(fastest.steps)} steps.`]
      : ['Time: no batch size reached a target.']),
    ...(accurate
      ? [
          `Accuracy: a batch of ${round(accurate.batch)} was the most accurate, ${accurate.bestAccuracy.mean.toFixed(4)} at epoch ${accurate.bestEpoch.mean.toFixed(1)}.`,
        ]
      : []),
    ...(useful.length > 0
      ? [
          `Scaling: ${round(largest)} is the largest batch that was useful for reaching ${target}: it needed at most twice the samples of the most economical one (${round(cheapest!.batch)}).`,
        ]
      : []),
    ...(fit ? [fitInWords(fit)] : []),
  ];
  return {
    axes,
    target,
    fit,
    timeOptimal: fastest?.batch,
    accuracyOptimal: accurate?.batch,
    largestUseful: useful.length > 0 ? largest : undefined,
    words,
  };
}

function fitInWords({ stepsMin, criticalBatch, error }: StepsFit): string {
  const quality = `(off by ${(error * 100).toFixed(0)} % on average)`;
  if (!Number.isFinite(criticalBatch))
    return `Steps fell in proportion to the batch in all of the range ${quality}: larger batches may help still.`;
  return `Steps = ${round(stepsMin)} (1 + ${round(criticalBatch)} / batch) ${quality}: above about ${round(criticalBatch)} samples, more workers save little time.`;
}

function targetOf(cells: readonly Cell[]): number | undefined {
  const counts = (cells[0]?.targets ?? []).map(({ target }, i) => ({
    target,
    count: cells.filter((cell) => (cell.targets[i]?.reachedBy ?? 0) > 0).length,
  }));
  const ranked = counts
    .filter(({ count }) => count > 0)
    .sort((a, b) => Math.min(b.count, 3) - Math.min(a.count, 3) || b.target - a.target);
  return ranked[0]?.target;
}

/** A claim of the seed experiment, and whether this sweep bears it out; undefined where it says nothing about it. */
export interface Check {
  readonly claim: string;
  readonly holds: boolean | undefined;
  readonly evidence: string;
}

/** The conclusions that the original experiment drew, looked for in ours. */
export function seedChecks(cells: readonly Cell[]): readonly Check[] {
  const ascending = [...cells].sort((a, b) => a.batch - b.batch);
  const trained = ascending.filter(({ ends }) => ends.every((end) => end !== 'hopeless' && end !== 'diverged'));
  const stuck = ascending.filter((cell) => !trained.includes(cell));
  return [fallingTimes(trained), risingEpochs(trained), tinyOnes(stuck, ascending), largeOnes(trained)];
}

function fallingTimes(cells: readonly Cell[]): Check {
  const [first, last] = [cells[0], cells.at(-1)];
  const rises = cells.filter((cell, i) => i > 0 && cell.secondsPerEpoch.mean > cells[i - 1]!.secondsPerEpoch.mean);
  const ratio = first && last ? first.secondsPerEpoch.mean / last.secondsPerEpoch.mean : NaN;
  return {
    claim: 'the larger the batch, the shorter an epoch',
    holds: cells.length < 3 ? undefined : ratio > 1 && rises.length <= cells.length / 4,
    evidence: `an epoch with batches of ${first?.batch} took ${ratio.toFixed(1)} times as long as with ${last?.batch}; out of order: ${listOf(rises)}`,
  };
}

function risingEpochs(cells: readonly Cell[]): Check {
  const target = targetOf(cells);
  const hits = cells.flatMap(({ batch, targets }) => {
    const epochs = targets.find((t) => t.target === target)?.epochs?.mean;
    return epochs === undefined ? [] : [{ batch, epochs }];
  });
  const falls = hits.filter(({ epochs }, i) => i > 0 && epochs < hits[i - 1]!.epochs * 0.95);
  const [first, last] = [hits[0], hits.at(-1)];
  return {
    claim: 'the larger the batch, the more epochs to the same accuracy',
    holds: hits.length < 3 ? undefined : last!.epochs > first!.epochs && falls.length <= hits.length / 4,
    evidence: `${target}: ${hits.map(({ batch, epochs }) => `${batch} after ${epochs.toFixed(1)}`).join(', ')}`,
  };
}

function tinyOnes(stuck: readonly Cell[], all: readonly Cell[]): Check {
  const tiny = all.filter(({ batch }) => batch <= 2);
  return {
    claim: 'batches of 1 and 2 do not converge with this learning rate',
    holds: tiny.length === 0 ? undefined : tiny.every((cell) => stuck.includes(cell)),
    evidence: `these did not: ${listOf(stuck)}`,
  };
}

function largeOnes(cells: readonly Cell[]): Check {
  const target = cells[0]?.targets.at(-1)?.target;
  const large = cells.filter(({ batch }) => batch >= 2000);
  const short = large.filter(({ targets }) => targets.at(-1)?.reachedBy === 0);
  return {
    claim: 'the largest run out of updates before they reach the highest target',
    holds: large.length === 0 ? undefined : short.length === large.length,
    evidence: short.length
      ? short
          .map(({ batch, iterations }) => `${batch}: ${target} not reached in ${round(iterations.mean)} updates`)
          .join(', ')
      : `all of ${listOf(large)} reached ${target}`,
  };
}

function listOf(cells: readonly Cell[]): string {
  return cells.length === 0 ? 'none' : cells.map(({ batch }) => round(batch)).join(', ');
}

function round(value: number): string {
  return String(Math.round(value));
}
