/** What engines are asked to compute, and what they answer. */
import type { Arena } from '../core/arena.js';
import type { ParameterLayout } from '../core/layout.js';
import type { EncodedImages } from '../data/encoded-images.js';
import type { EngineName } from './engine.js';
import type { SampleStream } from './feeds/streamed-feed.js';
import type { MetricOptions } from './metric-options.js';
import type { ModelSpec } from './model-spec.js';
import type { OwnLossOptions } from './own-loss-options.js';

/** What computes one job after the other is made from this, in whatever thread it does. */
export interface EngineSetup {
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

/** An engine with its samples, wherever it computes. One job at a time. */
export interface JobEngine {
  readonly name: EngineName;
  readonly deterministic: boolean;
  readonly layout: ParameterLayout;
  /**
   * @param onNode - called for each node as soon as it is complete, in order; `nodes` has them again
   * @throws what the engine throws; after `stop` always
   */
  compute(job: ComputeJob, onNode?: (node: ComputedNode) => void): Promise<Computed>;
  /** In the middle of a job too: its `compute` rejects. */
  stop(): Promise<void>;
}
