import { equalRanges, type Range } from '../collective/ranges.js';
import { TreeSum } from '../collective/tree.js';
import type { Clock } from '../core/clock.js';
import type { ParameterLayout } from '../core/layout.js';
import { microBatchCount } from '../data/batch-plan.js';
import type { EngineName } from './engine.js';
import { EngineInPlace } from './engine-in-place.js';
import { EngineThread } from './engine-thread.js';
import type { SampleSource } from './feeds/sample-source.js';
import type { Computed, ComputedNode, ComputeJob, EngineSetup, JobEngine, ResidentImages } from './job.js';
import { prepareTensorflow } from './libtensorflow/environment.js';
import { loadWasmKernels, type Kernels } from './kernels.js';

export interface EngineThreadsOptions extends Omit<EngineSetup, 'samples'> {
  /** Images that lie in memory, or what connects each thread with one that reads its samples. */
  readonly samples: ResidentImages | SampleSource;
  /** At least 1. TensorFlow has so many of its own, behind one engine thread. */
  readonly threads: number;
  /** With one thread alone: that which starts them is the one, and has this clock. Default one of its own. */
  readonly inPlace?: Clock | undefined;
}

/**
 * Engine threads that share one copy of weights and data: each computes a contiguous part of a job's micro-batches. Their
 * sums meet in the canonical tree, so that no number of threads changes a bit.
 */
export class EngineThreads {
  private constructor(
    private readonly threads: readonly JobEngine[],
    /** What adds two nodes: float32 addition is the same whoever does it. */
    private readonly kernels: Kernels,
    private readonly microBatchSize: number,
    private readonly source: SampleSource | undefined,
  ) {}

  /** @throws what starting the first thread that fails throws */
  static async start({ threads: wanted, samples, inPlace, ...options }: EngineThreadsOptions): Promise<EngineThreads> {
    const hasItsOwn = options.engine === 'tensorflow';
    if (hasItsOwn) prepareTensorflow(wanted);
    const count = hasItsOwn ? 1 : wanted;
    const kernels = await loadWasmKernels(options.arena);
    const starting = Array.from({ length: count }, (): Promise<JobEngine> => {
      const setup = { ...options, samples: 'open' in samples ? samples.open() : samples };
      return inPlace ? EngineInPlace.start(setup, inPlace) : EngineThread.start(setup);
    });
    const starts = await Promise.allSettled(starting);
    const threads = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    const failure = starts.find((start) => start.status === 'rejected');
    const source = 'open' in samples ? samples : undefined;
    const self = new EngineThreads(threads, kernels, options.microBatchSize, source);
    if (!failure) return self;
    await self.stop();
    throw failure.reason;
  }

  get name(): EngineName {
    return this.threads[0]!.name;
  }

  get deterministic(): boolean {
    return this.threads[0]!.deterministic;
  }

  get layout(): ParameterLayout {
    return this.threads[0]!.layout;
  }

  /** How long a job may wait for samples that somebody reads. */
  get readTimeoutMs(): number {
    return this.source?.readTimeoutMs ?? 0;
  }

  /**
   * @param onNode - as `EngineThread` has it; of several threads the nodes meet first, and come with the answer
   * @throws what `EngineThread.compute` throws, when no thread works any more
   */
  async compute(job: ComputeJob, onNode?: (node: ComputedNode) => void): Promise<Computed> {
    if (this.threads.length === 1) return this.threads[0]!.compute(job, onNode);
    const answers = await Promise.allSettled(
      this.threads.map((thread, i) => {
        const next = job.next && { ...job.next, range: this.partOf(job.next.range, i) };
        return thread.compute({ ...job, range: this.partOf(job.range, i), next });
      }),
    );
    const tree = new TreeSum<Float32Array>(microBatchCount(job.sampleCount, this.microBatchSize), (left, right) => {
      this.kernels.add(0, left.byteOffset, right.byteOffset, left.length);
      return left;
    });
    let [computeSeconds, inputSeconds, tensorCount] = [0, 0, 0];
    for (const answer of answers) {
      if (answer.status === 'rejected') throw answer.reason;
      for (const { values, ...span } of answer.value.nodes) tree.push(span, values);
      computeSeconds = Math.max(computeSeconds, answer.value.computeSeconds);
      inputSeconds = Math.max(inputSeconds, answer.value.inputSeconds ?? 0);
      tensorCount += answer.value.tensorCount;
    }
    const nodes = tree.nodes.map(({ span, value }) => ({ ...span, values: value }));
    return { nodes, computeSeconds, inputSeconds, tensorCount };
  }

  /** The contiguous part of a range that thread `i` computes. */
  private partOf({ first, end }: Range, i: number): Range {
    const part = equalRanges(end - first, this.threads.length)[i]!;
    return { first: first + part.first, end: first + part.end };
  }

  /** Ends all threads, in the middle of a job too: its `compute` rejects. */
  async stop(): Promise<void> {
    await Promise.all([...this.threads.map((thread) => thread.stop()), this.source?.stop()]);
  }
}
