import type { ScaledStepAt } from './batch-scaling.js';
import type { Workspace } from '../collective/workspace.js';
import type { Arena } from '../core/arena.js';
import type { RunSpec } from '../core/run-spec.js';
import type { StateSnapshot } from '../transport/grpc/exchange-server.js';
import type { EngineThreads } from '../engine/engine-threads.js';
import type { LearningRateOf } from './learning-rate.js';
import type { SumOfSquares } from '../optim/norm.js';
import type { TrainingState } from './training-state.js';

/** What a step needs of the engine. */
export type RunEngine = Pick<EngineThreads, 'name' | 'deterministic' | 'layout' | 'compute' | 'stop'> &
  Partial<Pick<EngineThreads, 'readTimeoutMs'>> & {
    /** Settles when the job under way is over; undefined if there is none. */
    readonly busy?: Promise<void> | undefined;
  };

/** What a worker holds while a run goes on, whatever its generation. */
export interface PreparedRun {
  readonly spec: RunSpec;
  readonly arena: Arena;
  readonly engine: RunEngine;
  readonly state: TrainingState;
  /** By the kernels; default that of optim/norm.ts. */
  readonly sumOfSquares?: SumOfSquares;
  readonly learningRateOf: LearningRateOf;
  /** Where the learning rate follows batches that vary. */
  readonly scaledStepAt?: ScaledStepAt | undefined;
  /** What peers send arrives and is added here. */
  readonly workspace: Workspace;
  /** What lossy codecs keep from step to step, for one generation. */
  readonly residuals: Workspace;
  /** float32[stepSumLength]: the sum over all ranks of the round at hand. */
  readonly gradientSum: Float32Array;
  /**
   * With --sync-every, float32[weightCount + evaluationCount]: how far this rank alone has moved, and its sum over all ranks.
   */
  readonly differences?: { readonly own: Float32Array; readonly sum: Float32Array };
  /** float32[evaluationLength]. */
  readonly evaluationSum: Float32Array;
  /** The weights of the best evaluation so far, for the coordinator, which asks one member after the other. */
  best: { readonly step: number; readonly weights: Float32Array } | undefined;
  /** A copy of the state for the coordinator to store; on rank 0 only. */
  checkpoint: { readonly step: number; readonly state: StateSnapshot } | undefined;
}
