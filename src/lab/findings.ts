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
  const hits = cells.flatMap((cell): Hit[] => {
    const { steps, samples, seconds } = cell.targets.find((t) => t.target === target) ?? {};
    return steps && samples && seconds
      ? [{ batch: cell.batch, steps: steps.mean, samples: samples.mean, seconds: seconds.mean }]
      : [];
  });
  const fit = fitSteps(hits);
  const least = (of: (hit: Hit) => number) =>
    hits.reduce<Hit | undefined>((best, hit) => (best && of(best) <= of(hit) ? best : hit), undefined);
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
    ...(new Set(cells.map(({ batch }) => batch)).size > 1
      ? comparisonInWords({ target, fastest, accurate, cheapest, largest: useful.length > 0 ? largest : undefined })
      : aloneInWords({ target, fastest, accurate })),
    ...(fit ? [fitInWords(fit, Math.max(...hits.map(({ batch }) => batch)))] : []),
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

interface Hit {
  readonly batch: number;
  readonly steps: number;
  readonly samples: number;
  readonly seconds: number;
}

interface Outcome {
  readonly target: number | undefined;
  readonly fastest: Hit | undefined;
  readonly accurate: Cell | undefined;
}

function comparisonInWords({
  target,
  fastest,
  accurate,
  cheapest,
  largest,
}: Outcome & { readonly cheapest: Hit | undefined; readonly largest: number | undefined }): readonly string[] {
  return [
    fastest
      ? `Time: a batch of ${round(fastest.batch)} reached ${target} first, after ${round(fastest.steps)} steps.`
      : 'Time: no batch size reached a target.',
    ...(accurate
      ? [`Accuracy: a batch of ${round(accurate.batch)} was the most accurate, ${accuracyText(accurate)}.`]
      : []),
    ...(cheapest && largest !== undefined
      ? [
          `Scaling: ${round(largest)} is the largest batch that was useful for reaching ${target}: it needed at most twice the samples of the most economical one (${round(cheapest.batch)}).`,
        ]
      : []),
  ];
}

/** Of one batch size nothing can be said about others. */
function aloneInWords({ target, fastest, accurate }: Outcome): readonly string[] {
  return [
    fastest
      ? `Time: a batch of ${round(fastest.batch)} reached ${target} after ${round(fastest.steps)} steps.`
      : 'Time: no target was reached.',
    ...(accurate ? [`Accuracy: it was best with ${accuracyText(accurate)}.`] : []),
  ];
}

function accuracyText({ bestAccuracy, bestEpoch }: Cell): string {
  return `${bestAccuracy.mean.toFixed(4)} at epoch ${bestEpoch.mean.toFixed(1)}`;
}

/** @param largest - batch that was measured: a critical batch beyond it would be a guess */
function fitInWords({ stepsMin, criticalBatch, error }: StepsFit, largest: number): string {
  const quality = `(off by ${(error * 100).toFixed(0)} % on average)`;
  if (criticalBatch > largest)
    return `Steps fell nearly in proportion to the batch up to ${round(largest)} ${quality}: larger batches may help still.`;
  return `Steps = ${round(stepsMin)} (1 + ${round(criticalBatch)} / batch) ${quality}: above about ${round(criticalBatch)} samples, more workers save little time.`;
}

/** The highest that at least three batch sizes reached, else that most of them did. */
export function targetOf(cells: readonly Cell[]): number | undefined {
  const counts = (cells[0]?.targets ?? []).map(({ target }, i) => ({
    target,
    count: cells.filter((cell) => (cell.targets[i]?.reachedBy ?? 0) > 0).length,
  }));
  const ranked = counts
    .filter(({ count }) => count > 0)
    .sort((a, b) => Math.min(b.count, 3) - Math.min(a.count, 3) || b.target - a.target);
  return ranked[0]?.target;
}

function round(value: number): string {
  return String(Math.round(value));
}
