import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { Arena } from '../core/arena.js';
import type { ParameterLayout } from '../core/layout.js';
import { restoreError } from '../core/sent-error.js';
import type { EncodedImages } from '../data/encoded-images.js';
import type { EngineName } from './engine.js';
import {
  endThread,
  type SentNode,
  type ThreadAnswer,
  type ThreadData,
  type ThreadJob,
} from './engine-thread-messages.js';
import { fault } from './faults.js';
import type { SampleStream } from './feeds/streamed-feed.js';
import type { ModelSpec } from './model-spec.js';
import type { MetricOptions } from './metric-options.js';
import type { OwnLossOptions } from './own-loss-options.js';

export interface EngineThreadOptions {
  readonly engine: EngineName;
  readonly model: ModelSpec;
  /** Samples of a micro-batch; the last one of a job may be short. */
  readonly microBatchSize: number;
  readonly arena: Arena;
  /** Images that lie in memory, or samples that another thread reads. */
  readonly samples: ResidentImages | SampleStream;
  /** Of a model whose loss is `own`. */
  readonly ownLoss?: OwnLossOptions | undefined;
  /** Of a run that has metrics. */
  readonly metrics?: MetricOptions | undefined;
  readonly order: { readonly seed: number; readonly shuffle: 'epoch' | 'none' };
  /** Whether jobs have a `lossScale`. Default false. */
  readonly scalesLoss?: boolean;
  /** As `--gpu` has it, for engines that compute on one. */
  readonly gpu?: string;
}

export interface ResidentImages {
  readonly train: EncodedImages;
  readonly test: EncodedImages;
}

/** Which samples of training a job is about. */
export type UpcomingJob = Pick<ComputeJob, 'epoch' | 'firstPosition' | 'sampleCount' | 'range'>;

/** Part of a step, or of an evaluation: the micro-batches `range` of samples `firstPosition..firstPosition+sampleCount-1`. */
export interface ComputeJob {
  /** `gradient`: training samples in the epoch's order. `evaluation`: test samples in the order of the file. */
  readonly purpose: 'gradient' | 'evaluation';
  readonly epoch: number;
  readonly firstPosition: number;
  readonly sampleCount: number;
  /** Micro-batches `first..end-1`; may be empty. */
  readonly range: { readonly first: number; readonly end: number };
  /** Whether the squared norms of the micro-batches' mean gradients are wanted; 0 otherwise. Default false. */
  readonly withSquares?: boolean;
  /** What the loss is multiplied with before the gradient is taken, a power of two. Default 1. */
  readonly lossScale?: number;
  /** Whether the nodes of the job before stay valid beside those of this one. Default false. */
  readonly keepsNodes?: boolean;
  /** float32[weightCount] in the arena; must not change until the job is done. */
  readonly weights: Float32Array;
  /** The job that will probably follow: its first samples are read as soon as this one is answered. */
  readonly next?: UpcomingJob | undefined;
}

/** The sum over micro-batches `first..end-1`, a node of the canonical tree. */
export interface ComputedNode {
  readonly first: number;
  readonly end: number;
  /** In the arena, valid until the next job that does not keep it: float32[stepSumLength], for an evaluation float32[evaluationLength]. */
  readonly values: Float32Array;
}

export interface Computed {
  /** The fewest nodes that cover the range, in ascending order. */
  readonly nodes: readonly ComputedNode[];
  readonly computeSeconds: number;
  /** How much of it was spent waiting for samples; absent where they lie in memory. */
  readonly inputSeconds?: number;
  /** Of the backend, after the job. */
  readonly tensorCount: number;
}

/** Ended from outside in the middle of a call, Dawn aborts the whole process: webgpu/dawn.ts. */
const endsByItself: ReadonlySet<EngineName> = new Set(['webgpu']);

/**
 * An engine with its data in a thread of its own, over the shared arena: a long forward or backward pass never holds up
 * heartbeats or the exchange. One job at a time.
 */
export class EngineThread {
  private waiting: { resolve: (answer: ThreadAnswer) => void; reject: (error: Error) => void } | undefined;
  private death: Error | undefined;
  private stopping = false;

  private constructor(
    private readonly thread: Worker,
    private readonly arena: Arena,
  ) {
    thread.on('message', (answer: ThreadAnswer) => {
      if ('node' in answer) this.tell(answer.node);
      else if ('error' in answer) this.settle()?.reject(restoreError(answer.error));
      else {
        // What is left of the nodes is on its way to peers before whoever asked goes on.
        if ('nodes' in answer) for (const node of answer.nodes.slice(this.told)) this.tell(node);
        this.settle()?.resolve(answer);
      }
    });
    thread.on('error', (error) => this.die(fault('ENGINE_THREAD_DIED', { reason: reasonOf(error) }, error)));
    thread.on('exit', (code) => this.die(fault('ENGINE_THREAD_DIED', { reason: `exit code ${code}` })));
  }

  private onNode: ((node: ComputedNode) => void) | undefined;
  /** Of the job's nodes, to `onNode`. */
  private told = 0;
  private ready: Extract<ThreadAnswer, { layout: ParameterLayout }> | undefined;

  /** @throws what creating the engine throws, LockstepError `ENGINE_THREAD_DIED` */
  static async start({ arena, ...options }: EngineThreadOptions): Promise<EngineThread> {
    const workerData: ThreadData = { ...options, memory: arena.memory };
    const transferList = 'port' in options.samples ? [options.samples.port] : [];
    const url = new URL('./engine-thread-main.js', import.meta.url);
    const self = new EngineThread(new Worker(url, { workerData, transferList }), arena);
    const answer = await self.answer();
    if (!('layout' in answer)) throw new Error('the engine thread answered out of turn');
    self.ready = answer;
    return self;
  }

  get name(): EngineName {
    return this.ready!.name;
  }

  get deterministic(): boolean {
    return this.ready!.deterministic;
  }

  get layout(): ParameterLayout {
    return this.ready!.layout;
  }

  /**
   * @param onNode - called for each node as soon as it is complete, in order; `nodes` has them again
   * @throws what the engine throws; LockstepError `ENGINE_THREAD_DIED`, also for every later job
   */
  async compute(job: ComputeJob, onNode?: (node: ComputedNode) => void): Promise<Computed> {
    if (this.waiting) throw new Error('a job is running already');
    const { weights, ...rest } = job;
    const message: ThreadJob = { ...rest, weights: { address: weights.byteOffset, length: weights.length } };
    const answered = this.answer();
    this.onNode = onNode;
    this.told = 0;
    this.thread.postMessage(message);
    const answer = await answered;
    if (!('nodes' in answer)) throw new Error('the engine thread answered out of turn');
    const nodes = answer.nodes.map((node) => this.received(node));
    const { computeSeconds, inputSeconds, tensorCount } = answer;
    return { nodes, computeSeconds, inputSeconds, tensorCount };
  }

  private tell(node: SentNode): void {
    this.told += 1;
    this.onNode?.(this.received(node));
  }

  private received({ first, end, values: { address, length } }: SentNode): ComputedNode {
    return { first, end, values: new Float32Array(this.arena.buffer, address, length) };
  }

  /** Ends the thread, in the middle of a job too: its `compute` rejects. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (!this.ready || !endsByItself.has(this.name) || this.death) return void (await this.thread.terminate());
    const ended = once(this.thread, 'exit');
    this.thread.ref();
    this.thread.postMessage(endThread);
    await ended;
  }

  /** The thread keeps the process alive only while somebody waits for it. */
  private answer(): Promise<ThreadAnswer> {
    if (this.death) return Promise.reject(this.death);
    this.thread.ref();
    return new Promise((resolve, reject) => (this.waiting = { resolve, reject }));
  }

  private settle(): typeof this.waiting {
    const { waiting } = this;
    this.waiting = undefined;
    if (!this.death) this.thread.unref();
    return waiting;
  }

  private die(error: Error): void {
    this.death ??= this.stopping ? new Error('the engine thread was stopped') : error;
    this.settle()?.reject(this.death);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
