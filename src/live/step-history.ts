import type { PhaseSeconds, StepRecord } from '../core/events.js';
import type { Curves } from './picture.js';

/** Means over neighbouring steps. */
interface Entry {
  lastStep: number;
  steps: number;
  finiteSteps: number;
  lossSum: number;
  /** Null where there is no accuracy. */
  accuracySum: number | null;
  normSum: number;
  samples: number;
  seconds: number;
  learningRate: number;
  worldSize: number;
}

/** More points than a wide screen has pixels for a chart. */
const entriesMax = 1024;

/**
 * The curves of a run in bounded memory, however long it is: each entry stands for `stride` steps, and when there are too
 * many, neighbours are merged and the stride doubles. A step that was skipped has no loss: it is left out of the means.
 */
export class StepHistory {
  private stride = 1;
  private entries: Entry[] = [];

  add(record: StepRecord): void {
    const last = this.entries.at(-1);
    const entry = last && last.steps < this.stride ? last : this.open();
    const isFinite = !record.skipped && Number.isFinite(record.loss);
    entry.lastStep = record.step;
    entry.steps += 1;
    if (isFinite) {
      entry.finiteSteps += 1;
      entry.lossSum += record.loss;
      entry.accuracySum = plus(entry.accuracySum, record.accuracy);
      entry.normSum += record.gradientNorm;
    }
    entry.samples += record.sampleCount;
    entry.seconds += secondsOf(record.seconds);
    entry.learningRate = record.learningRate;
    entry.worldSize = record.worldSize;
  }

  /** @param from - index of the first entry that is wanted */
  curves(from = 0): Curves {
    const entries = this.entries.slice(from);
    const mean = (sumOf: (entry: Entry) => number | null) =>
      entries.map((entry) => {
        const sum = sumOf(entry);
        return sum !== null && entry.finiteSteps > 0 ? rounded(sum / entry.finiteSteps) : null;
      });
    return {
      stride: this.stride,
      from,
      step: entries.map(({ lastStep }) => lastStep),
      loss: mean(({ lossSum }) => lossSum),
      accuracy: mean(({ accuracySum }) => accuracySum),
      imagesPerSecond: entries.map(({ samples, seconds }) => (seconds > 0 ? Math.round(samples / seconds) : 0)),
      learningRate: entries.map(({ learningRate }) => rounded(learningRate)),
      gradientNorm: mean(({ normSum }) => normSum),
      worldSize: entries.map(({ worldSize }) => worldSize),
    };
  }

  /** What somebody needs who has `known.count` entries of stride `known.stride`: the last of them may have grown. */
  curvesSince(known: { readonly stride: number; readonly count: number }): Curves {
    const isSame = known.stride === this.stride && known.count <= this.entries.length;
    return this.curves(isSame ? Math.max(0, known.count - 1) : 0);
  }

  get length(): number {
    return this.entries.length;
  }

  private open(): Entry {
    if (this.entries.length === entriesMax) this.halve();
    const last = this.entries.at(-1);
    if (last && last.steps < this.stride) return last;
    const entry: Entry = {
      lastStep: 0,
      steps: 0,
      finiteSteps: 0,
      lossSum: 0,
      accuracySum: 0,
      normSum: 0,
      samples: 0,
      seconds: 0,
      learningRate: 0,
      worldSize: 0,
    };
    this.entries.push(entry);
    return entry;
  }

  private halve(): void {
    this.stride *= 2;
    const merged: Entry[] = [];
    for (let i = 0; i < this.entries.length; i += 2) {
      const [left, right] = [this.entries[i]!, this.entries[i + 1]];
      merged.push(right ? mergedEntry(left, right) : left);
    }
    this.entries = merged;
  }
}

function mergedEntry(left: Entry, right: Entry): Entry {
  return {
    ...right,
    steps: left.steps + right.steps,
    finiteSteps: left.finiteSteps + right.finiteSteps,
    lossSum: left.lossSum + right.lossSum,
    accuracySum: plus(left.accuracySum, right.accuracySum),
    normSum: left.normSum + right.normSum,
    samples: left.samples + right.samples,
    seconds: left.seconds + right.seconds,
  };
}

/** Of sums of which one may be of nothing. */
export function plus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

export function secondsOf({ compute, wait, exchange, update }: PhaseSeconds): number {
  return compute + wait + exchange + update;
}

/** Six digits are more than anybody sees, and a third of the bytes. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
