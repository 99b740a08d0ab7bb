/** Data sets made of others. */
import { randomStream, type RandomStream } from '../core/random.js';
import {
  arrayOf,
  sizeOfFormat,
  type Dataset,
  type ReadMoment,
  type SampleFormat,
  type Samples,
  type SampleValues,
} from './dataset.js';
import { epochOrder } from './epoch-order.js';

/** One sample. */
export interface Sample {
  readonly x: SampleValues;
  readonly y: SampleValues;
}

/** What a function gives for a sample: typed arrays or lists of numbers, as the formats say. */
export interface MadeSample {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** What the samples are that a function returns. */
export interface MadeFormats {
  /** Default: that of the data set. */
  readonly x?: SampleFormat;
  readonly y?: SampleFormat;
}

/** Every sample changed in the same way, always. @param formats - of what `change` returns, where it is not the same */
export function map(dataset: Dataset, change: (sample: Sample) => MadeSample, formats: MadeFormats = {}): Dataset {
  return changed(dataset, (sample) => change(sample), formats);
}

/**
 * Every sample changed by chance, anew in each epoch: `random` depends on the run's seed, the epoch and the sample, and on
 * nothing else, so that it does not matter which worker reads it.
 */
export function augment(
  dataset: Dataset,
  change: (sample: Sample, random: RandomStream) => MadeSample,
  formats: MadeFormats = {},
): Dataset {
  const byChance: Change = (sample, index, { seed, epoch }) =>
    change(sample, randomStream(seed, 'augment', epoch, index));
  return changed(dataset, byChance, formats);
}

type Change = (sample: Sample, index: number, moment: ReadMoment) => MadeSample;

function changed(dataset: Dataset, change: Change, { x = dataset.x, y = dataset.y }: MadeFormats): Dataset {
  return {
    length: dataset.length,
    x,
    y,
    async read(indices, moment = { seed: 0, epoch: 0 }) {
      const given = await dataset.read(indices, moment);
      const made = indices.map((index, i) => change(sampleAt(dataset, given, i), index, moment));
      const [xs, ys] = [made.map((sample) => sample.x), made.map((sample) => sample.y)];
      return { x: joined(xs, x), y: joined(ys, y) };
    },
  };
}

/** Two data sets of one, by a random order that depends on the seed alone. @param share - of the second, in 0..1 */
export function split(dataset: Dataset, share: number, seed = 0): readonly [Dataset, Dataset] {
  const { length } = dataset;
  const at = epochOrder({ seed, epoch: 0, length, shuffle: 'epoch' });
  const first = length - Math.round(length * share);
  const part = (offset: number, count: number): Dataset => ({
    ...dataset,
    length: count,
    read: (indices, moment) =>
      dataset.read(
        indices.map((index) => at(offset + index)),
        moment,
      ),
  });
  return [part(0, first), part(first, length - first)];
}

function sampleAt({ x, y }: Dataset, samples: Samples, i: number): Sample {
  const [sizeX, sizeY] = [sizeOfFormat(x), sizeOfFormat(y)];
  return {
    x: samples.x.subarray(i * sizeX, (i + 1) * sizeX),
    y: samples.y.subarray(i * sizeY, (i + 1) * sizeY),
  };
}

/** What is too short or too long is found by whoever checks what was read. */
function joined(parts: readonly ArrayLike<number>[], { dtype }: SampleFormat): SampleValues {
  const values = new arrayOf[dtype](parts.reduce((length, part) => length + part.length, 0));
  parts.reduce((at, part) => {
    values.set(part, at);
    return at + part.length;
  }, 0);
  return values;
}
