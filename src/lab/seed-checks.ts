import { targetOf } from './findings.js';
import type { Cell } from './summary.js';

/** A claim of the seed experiment, and whether this sweep bears it out; undefined where it says nothing about it. */
export interface Check {
  readonly claim: string;
  readonly holds: boolean | undefined;
  readonly evidence: string;
}

/** Two figures that are closer than this are taken as equal: neither seeds nor clocks tell them apart. */
const tolerance = 0.05;

/** The conclusions that the original experiment drew, looked for in ours. */
export function seedChecks(cells: readonly Cell[]): readonly Check[] {
  const ascending = [...cells].sort((a, b) => a.batch - b.batch);
  const trained = ascending.filter(({ ends }) => ends.every((end) => end !== 'hopeless' && end !== 'diverged'));
  const stuck = ascending.filter((cell) => !trained.includes(cell));
  return [
    fallingTimes(trained),
    risingEpochs(trained),
    tinyOnes(stuck, ascending),
    largeOnes(trained),
    bestInTheMiddle(trained),
  ];
}

function fallingTimes(cells: readonly Cell[]): Check {
  const [first, last] = [cells[0], cells.at(-1)];
  const rises = cells.filter(
    ({ secondsPerEpoch }, i) => i > 0 && secondsPerEpoch.mean > cells[i - 1]!.secondsPerEpoch.mean * (1 + tolerance),
  );
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
  const falls = hits.filter(({ epochs }, i) => i > 0 && epochs < hits[i - 1]!.epochs * (1 - tolerance));
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
          .map(({ batch, iterations }) => `${batch}: ${target} not reached in ${Math.round(iterations.mean)} updates`)
          .join(', ')
      : `all of ${listOf(large)} reached ${target}`,
  };
}

function bestInTheMiddle(cells: readonly Cell[]): Check {
  const [first, last] = [cells[0], cells.at(-1)];
  const best = cells.reduce<Cell | undefined>(
    (most, cell) => (most && most.bestAccuracy.mean >= cell.bestAccuracy.mean ? most : cell),
    undefined,
  );
  const texts = [...new Set([best, first, last])].map(
    (cell) => `${cell?.batch} came to ${cell?.bestAccuracy.mean.toFixed(4)}`,
  );
  return {
    claim: 'accuracy is best with a batch in the middle',
    holds: cells.length < 3 ? undefined : best !== first && best !== last,
    evidence: texts.join(', '),
  };
}

function listOf(cells: readonly Cell[]): string {
  return cells.length === 0 ? 'none' : cells.map(({ batch }) => String(Math.round(batch))).join(', ');
}
