import { coveringNodes, TreeSum } from '../collective/tree.js';
import type { Arena } from '../core/arena.js';
import { microBatchAt, microBatchCount } from '../data/batch-plan.js';
import { evaluationCount, stepSumLength } from '../core/layout.js';
import { sumOfSquares } from '../optim/norm.js';
import type { Engine, RangeEngine } from './engine.js';
import type { ComputedNode, ComputeJob, UpcomingJob } from './job.js';
import type { Feed } from './feeds/feed.js';
import type { Metrics } from './op-by-op/metrics.js';

export interface MicroBatchRunnerOptions {
  readonly microBatchSize: number;
  readonly feed: Feed;
  /** What evaluations compute beside the loss. */
  readonly metrics?: Pick<Metrics, 'count' | 'setWeights' | 'sums'> | undefined;
  /** Waited for between two micro-batches. */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** Computes a job: reads each micro-batch's samples, lets the engine sum them, and adds the sums up in the canonical tree. */
export class MicroBatchRunner {
  private readonly gradients: BufferPool;
  private readonly extras: BufferPool;

  constructor(
    private readonly engine: Engine,
    arena: Arena,
    private readonly options: MicroBatchRunnerOptions,
  ) {
    this.gradients = new BufferPool(arena, stepSumLength(engine.layout));
    this.extras = new BufferPool(arena, evaluationCount + (options.metrics?.count ?? 0));
  }

  /**
   * The nodes that cover the job's range. Their values are overwritten by the next job, unless it keeps them.
   *
   * @param onNode - called for each but the last as soon as it is complete, while later micro-batches are to come
   */
  async run(job: ComputeJob, onNode?: (node: ComputedNode) => void): Promise<readonly ComputedNode[]> {
    const { engine } = this;
    const { microBatchSize, feed, metrics, pause } = this.options;
    const squares = engine.sumOfSquares ?? sumOfSquares;
    if (engine.ranges && job.purpose === 'gradient') return this.runRange(engine.ranges, job);
    feed.begin(job, job.next);
    const pool = job.purpose === 'gradient' ? this.gradients : this.extras;
    if (!job.keepsNodes) pool.takeAllBack();
    if (job.range.first < job.range.end) await engine.setWeights(job.weights);
    const { lossScale = 1 } = job;
    if (job.purpose === 'gradient') engine.setLossScale?.(lossScale);
    else if (job.range.first < job.range.end) metrics?.setWeights(job.weights);
    const count = microBatchCount(job.sampleCount, microBatchSize);
    const covering = coveringNodes(job.range, count);
    let told = 0;
    const tree = new TreeSum<Float32Array>(count, (left, right) => {
      engine.add(left, right);
      pool.takeBack(right);
      return left;
    });
    for (let index = job.range.first; index < job.range.end; index++) {
      const { first, end } = microBatchAt(index, job.sampleCount, microBatchSize);
      const loading = feed.load(job, index);
      if (loading) await loading;
      const sum = pool.give();
      const place = { epoch: job.epoch, position: job.firstPosition + first };
      if (job.purpose === 'gradient') {
        await engine.gradientSum(end - first, sum.subarray(0, -1), place);
        const { parameterCount } = engine.layout;
        sum[sum.length - 1] = job.withSquares ? squares(sum, 0, parameterCount, 1 / (end - first) / lossScale) : 0;
      } else {
        metrics?.sums(engine, end - first, sum.subarray(evaluationCount)); // first: an engine may overwrite its inputs
        await engine.evaluate(end - first, sum.subarray(0, evaluationCount));
      }
      tree.push({ first: index, end: index + 1 }, sum);
      if (index + 1 === job.range.end) break;
      if (covering[told]?.end === index + 1) onNode?.({ ...covering[told++]!, values: tree.nodes.at(-1)!.value });
      if (pause) await pause();
    }
    return tree.nodes.map(({ span, value }) => ({ first: span.first, end: span.end, values: value }));
  }

  /** On a device that keeps the samples, and adds by itself. */
  private async runRange(ranges: RangeEngine, job: ComputeJob): Promise<readonly ComputedNode[]> {
    const { microBatchSize } = this.options;
    const { range, sampleCount, firstPosition, epoch } = job;
    if (!job.keepsNodes) this.gradients.takeAllBack();
    if (range.first === range.end) return [];
    await this.engine.setWeights(job.weights);
    const first = range.first * microBatchSize;
    const end = Math.min(range.end * microBatchSize, sampleCount);
    const samples = Uint32Array.from(this.options.feed.indices(job, first, end - first));
    const place = { epoch, position: firstPosition + first };
    const count = microBatchCount(sampleCount, microBatchSize);
    const covering = job.withSquares ? singlesOf(range) : coveringNodes(range, count);
    const nodes = covering.map((span) => ({ ...span, values: this.gradients.give() }));
    const parts = nodes.map(({ values, ...span }) => ({ ...span, values: values.subarray(0, -1) }));
    await ranges.sums({ samples, place, nodes: parts });
    const tree = new TreeSum<Float32Array>(count, (left, right) => {
      this.engine.add(left, right);
      return left;
    });
    for (const { values, ...span } of nodes) {
      const m = Math.min(span.end * microBatchSize, sampleCount) - span.first * microBatchSize;
      const { parameterCount } = this.engine.layout;
      values[values.length - 1] = job.withSquares ? sumOfSquares(values, 0, parameterCount, 1 / m) : 0;
      tree.push(span, values);
    }
    return tree.nodes.map(({ span, value }) => ({ first: span.first, end: span.end, values: value }));
  }

  /** Reads the first samples of a job of training that will probably follow. If another one follows nothing is lost. */
  prefetch(upcoming: UpcomingJob): void {
    if (this.engine.ranges || upcoming.range.first === upcoming.range.end) return;
    this.options.feed.prefetch(upcoming);
  }
}

/** Every micro-batch by itself. */
function singlesOf({ first, end }: ComputeJob['range']): ComputeJob['range'][] {
  return Array.from({ length: end - first }, (_, i) => ({ first: first + i, end: first + i + 1 }));
}

/** Vectors of one length in the arena, which never gives memory back: each is used again and again. */
class BufferPool {
  private readonly all: Float32Array[] = [];
  private free: Float32Array[] = [];

  constructor(
    private readonly arena: Arena,
    private readonly length: number,
  ) {}

  give(): Float32Array {
    const free = this.free.pop();
    if (free) return free;
    const added = this.arena.float32(this.length);
    this.all.push(added);
    return added;
  }

  takeBack(vector: Float32Array): void {
    this.free.push(vector);
  }

  takeAllBack(): void {
    this.free = [...this.all];
  }
}
