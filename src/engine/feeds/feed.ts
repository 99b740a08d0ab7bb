/** How samples come into an engine. */
import { microBatchAt, microBatchCount } from '../../data/batch-plan.js';
import { epochOrder } from '../../data/epoch-order.js';
import type { ComputeJob, UpcomingJob } from '../job.js';

/** Which samples a job is about. */
export type SampledJob = UpcomingJob & Pick<ComputeJob, 'purpose'>;

export interface Feed {
  /** A job is about to be computed; `next` will probably follow. */
  begin(job: SampledJob, next: UpcomingJob | undefined): void;
  /** Fills the engine's inputs with micro-batch `index` of the job. */
  load(job: SampledJob, index: number): void | Promise<void>;
  /** Between two jobs: the engine's inputs may be filled with the first micro-batch of the one that will probably follow. */
  prefetch(upcoming: UpcomingJob): void;
  /** Indices in their data set of so many samples of a job, from one on. */
  indices(job: SampledJob, first: number, count: number): number[];
  /** Seconds since the last call that `load` has waited for samples. */
  takeWaitSeconds(): number;
}

export interface FeedOptions {
  readonly microBatchSize: number;
  readonly order: { readonly seed: number; readonly shuffle: 'epoch' | 'none' };
  readonly trainLength: number;
}

/** Samples `first..end-1` of a job: a micro-batch, under a name that no other samples have. */
export interface Portion {
  readonly job: SampledJob;
  readonly first: number;
  readonly end: number;
  readonly key: string;
}

/** What a position of the epoch, and what a micro-batch is: the same for every kind of feed. */
export class Portions {
  /** Of the epoch that was asked for last. */
  private order: { readonly epoch: number; readonly sampleAt: (position: number) => number } | undefined;

  constructor(private readonly options: FeedOptions) {}

  at(job: SampledJob, index: number): Portion {
    const { purpose, epoch, firstPosition, sampleCount } = job;
    const { first, end } = microBatchAt(index, sampleCount, this.options.microBatchSize);
    return { job, first, end, key: `${purpose} ${epoch} ${firstPosition + first} ${firstPosition + end}` };
  }

  /** Those of the job's range, in order. */
  of(job: SampledJob): Portion[] {
    const { first } = job.range;
    const end = Math.min(job.range.end, microBatchCount(job.sampleCount, this.options.microBatchSize));
    return Array.from({ length: Math.max(0, end - first) }, (_, i) => this.at(job, first + i));
  }

  /** Training samples in the epoch's order, test samples in that of the file. */
  indices({ purpose, epoch, firstPosition }: SampledJob, first: number, count: number): number[] {
    const sampleAt = purpose === 'evaluation' ? (position: number) => position : this.orderOf(epoch);
    return Array.from({ length: count }, (_, i) => sampleAt(firstPosition + first + i));
  }

  private orderOf(epoch: number): (position: number) => number {
    if (this.order?.epoch !== epoch) {
      const { order, trainLength: length } = this.options;
      this.order = { epoch, sampleAt: epochOrder({ ...order, epoch, length }) };
    }
    return this.order.sampleAt;
  }
}
