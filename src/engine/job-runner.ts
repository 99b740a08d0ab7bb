import type { Clock } from '../core/clock.js';
import { imagesDataset, type InputScaling } from '../data/encoded-images.js';
import { createEngine } from './choose-engine.js';
import type { Engine } from './engine.js';
import { fault } from './faults.js';
import type { Feed } from './feeds/feed.js';
import { ResidentFeed } from './feeds/resident-feed.js';
import { StreamedFeed } from './feeds/streamed-feed.js';
import type { Computed, ComputedNode, ComputeJob, EngineSetup, ResidentImages, UpcomingJob } from './job.js';
import { MicroBatchRunner } from './micro-batch-runner.js';

/** An engine with its samples, on the thread that calls. */
export class JobRunner {
  private constructor(
    readonly engine: Engine,
    private readonly feed: Feed,
    private readonly runner: MicroBatchRunner,
    private readonly clock: Clock,
  ) {}

  /**
   * @param pause - waited for between two micro-batches; default not at all
   * @throws what creating the engine throws, LockstepError `LOSS_NOT_SCALED`
   */
  static async open(setup: EngineSetup, clock: Clock, pause?: () => Promise<void>): Promise<JobRunner> {
    const { samples, ownLoss, metrics: wanted, model, microBatchSize, arena, order, gpu, scalesLoss } = setup;
    const { inputScaling } = model;
    const sets = 'port' in samples ? undefined : residentSets(samples, inputScaling);
    const kept = sets ? { train: sets.train } : {};
    const asked = { model, microBatchSize, arena, seed: order.seed, ownLoss, ...kept, ...(gpu && { gpu }) };
    const engine = await createEngine(setup.engine, { ...asked, ...(scalesLoss && { scalesLoss }) });
    if (scalesLoss && !engine.setLossScale) throw fault('LOSS_NOT_SCALED', { engine: engine.name });
    const feed: Feed =
      'port' in samples
        ? new StreamedFeed(engine, samples, { microBatchSize, order, inputScaling }, clock)
        : new ResidentFeed(engine, { microBatchSize, order, ...sets! });
    const metrics = wanted && (await (await import('./op-by-op/metrics.js')).Metrics.create(model, wanted));
    const runner = new MicroBatchRunner(engine, arena, { microBatchSize, feed, metrics, pause });
    return new JobRunner(engine, feed, runner, clock);
  }

  /** @param onNode - called for each but the last as soon as it is complete */
  async compute(job: ComputeJob, onNode?: (node: ComputedNode) => void): Promise<Computed> {
    const beginMs = this.clock.nowMs();
    const nodes = await this.runner.run(job, onNode);
    const computeSeconds = (this.clock.nowMs() - beginMs) / 1e3;
    return {
      nodes,
      computeSeconds,
      inputSeconds: this.feed.takeWaitSeconds(),
      tensorCount: this.engine.tensorCount(),
    };
  }

  prefetch(upcoming: UpcomingJob): void {
    this.runner.prefetch(upcoming);
  }
}

function residentSets({ train, test }: ResidentImages, scaling: InputScaling) {
  return { train: imagesDataset(train, scaling), test: imagesDataset(test, scaling) };
}
