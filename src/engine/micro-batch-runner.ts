import { TreeSum } from '../collective/tree.js';
import type { Arena } from '../core/arena.js';
import { microBatchAt, microBatchCount } from '../data/batch-plan.js';
import type { Dataset } from '../data/dataset.js';
import { epochOrder } from '../data/epoch-order.js';
import { evaluationCount, stepSumLength } from '../core/layout.js';
import { sumOfSquares } from '../optim/norm.js';
import type { Engine } from './engine.js';
import type { ComputedNode, ComputeJob } from './engine-thread.js';

export interface MicroBatchRunnerOptions {
  readonly microBatchSize: number;
  readonly order: { readonly seed: number; readonly shuffle: 'epoch' | 'none' };
  readonly train: Dataset;
  readonly test: Dataset;
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
    this.extras = new BufferPool(arena, evaluationCount);
  }

  /** The nodes that cover the job's range. Their values are overwritten by the next job. */
  async run(job: ComputeJob): Promise<readonly ComputedNode[]> {
    const { engine, options } = this;
    const { microBatchSize } = options;
    const dataset = job.purpose === 'gradient' ? options.train : options.test;
    const sampleAt = this.orderOf(job, dataset.length);
    const pool = job.purpose === 'gradient' ? this.gradients : this.extras;
    pool.takeAllBack();
    if (job.range.first < job.range.end) await engine.setWeights(job.weights);
    const tree = new TreeSum<Float32Array>(microBatchCount(job.sampleCount, microBatchSize), (left, right) => {
      engine.add(left, right);
      pool.takeBack(right);
      return left;
    });
    for (let index = job.range.first; index < job.range.end; index++) {
      const { first, end } = microBatchAt(index, job.sampleCount, microBatchSize);
      const samples = Array.from({ length: end - first }, (_, i) => sampleAt(job.firstPosition + first + i));
      dataset.read(samples, engine.x, engine.y);
      writeTargets(engine, samples.length);
      const sum = pool.give();
      const place = { epoch: job.epoch, position: job.firstPosition + first };
      if (job.purpose === 'gradient') {
        await engine.gradientSum(samples.length, sum.subarray(0, -1), place);
        const { parameterCount } = engine.layout;
        sum[sum.length - 1] = job.withSquares ? sumOfSquares(sum, 0, parameterCount, 1 / samples.length) : 0;
      } else await engine.evaluate(samples.length, sum);
      tree.push({ first: index, end: index + 1 }, sum);
    }
    return tree.nodes.map(({ span, value }) => ({ first: span.first, end: span.end, values: value }));
  }

  private orderOf({ purpose, epoch }: ComputeJob, length: number): (position: number) => number {
    if (purpose === 'evaluation') return (position) => position;
    return epochOrder({ ...this.options.order, epoch, length });
  }
}

/** Where the loss compares outputs with targets, a class is a 1 among zeros, or with one output itself. */
function writeTargets({ y, targets }: Engine, m: number): void {
  const outputs = targets.length / y.length;
  if (outputs === 1) targets.set(y.subarray(0, m));
  else if (outputs > 1) {
    targets.fill(0, 0, m * outputs);
    for (let i = 0; i < m; i++) targets[i * outputs + y[i]!] = 1;
  }
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
