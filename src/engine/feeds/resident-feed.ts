import type { ResidentDataset } from '../../data/resident-dataset.js';
import type { Engine } from '../engine.js';
import type { UpcomingJob } from '../job.js';
import { Portions, type Feed, type FeedOptions, type SampledJob } from './feed.js';
import { writeTargets } from './write-targets.js';

export interface ResidentFeedOptions extends Omit<FeedOptions, 'trainLength'> {
  readonly train: ResidentDataset;
  readonly test: ResidentDataset;
}

/** Samples that lie in memory: they are copied where they are wanted, and nobody waits. */
export class ResidentFeed implements Feed {
  private readonly portions: Portions;
  /** The micro-batch of training that was read ahead, if any. */
  private loaded: string | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly options: ResidentFeedOptions,
  ) {
    this.portions = new Portions({ ...options, trainLength: options.train.length });
  }

  begin(): void {
    // There is nothing to ask for.
  }

  load(job: SampledJob, index: number): void {
    const { key, first, end } = this.portions.at(job, index);
    const isLoaded = this.loaded === key;
    this.loaded = undefined; //                                       good for one use: an engine may overwrite its inputs
    if (isLoaded) return;
    const { engine, options } = this;
    const samples = this.indices(job, first, end - first);
    (job.purpose === 'gradient' ? options.train : options.test).read(samples, engine.x, engine.y);
    writeTargets(engine, samples.length);
  }

  prefetch(upcoming: UpcomingJob): void {
    const job = { ...upcoming, purpose: 'gradient' } as const;
    this.load(job, upcoming.range.first);
    this.loaded = this.portions.at(job, upcoming.range.first).key;
  }

  indices(job: SampledJob, first: number, count: number): number[] {
    return this.portions.indices(job, first, count);
  }

  takeWaitSeconds(): number {
    return 0;
  }
}
