import type { BatchHistory } from '../core/batch-history.js';
import type { DataPosition } from '../data/batch-plan.js';
import type { Arena } from '../core/arena.js';
import type { ParameterLayout } from '../core/layout.js';
import { firstLossScale, type LossScale } from '../optim/loss-scale.js';
import type { NoiseAverages } from '../optim/noise-scale.js';
import type { Optimizer, OptimizerScalars, OptimizerState } from '../optim/optimizer.js';

/** Everything of the training state but the vectors: small, plain, and the same on every worker. */
export interface Progression {
  /** Finished steps. */
  readonly step: number;
  readonly position: DataPosition;
  /** Sizes of all batches, up to that of the next step: whatever membership changes, that one stays (rule 2). */
  readonly batchHistory: BatchHistory;
  /** Samples that finished steps used: the schedule's clock. */
  readonly samplesSeen: number;
  readonly scalars: OptimizerScalars;
  /** Steps whose sum was not finite, so that they changed no weight. */
  readonly skippedSteps: number;
  /** Those since the last step that did, without those after which the loss scale could be halved. */
  readonly skippedInARow: number;
  /** Of evaluations so far; -1 before the first, and where the run has no accuracy. */
  readonly bestAccuracy: number;
  /** Where the run has no accuracy; absent before the first evaluation. */
  readonly bestLoss?: number;
  readonly bestStep: number;
  /** From the squared norms of micro-batches; absent before the first that says something. */
  readonly noise?: NoiseAverages;
  /** Where the loss is scaled. */
  readonly lossScale?: LossScale;
}

/**
 * The training state after a finished step, twice: a step reads one copy and writes the other, and only finishing it
 * swaps them. So an update can be given up at any point, and others can read the finished state meanwhile.
 */
export class TrainingState {
  private readonly copies: readonly [OptimizerState, OptimizerState];
  private current: 0 | 1 = 0;
  progression: Progression;

  constructor(
    arena: Arena,
    layout: Pick<ParameterLayout, 'parameterCount' | 'weightCount'>,
    readonly optimizer: Optimizer,
    /** Samples of the first step. */
    firstBatchSize: number,
    /** Default: the loss is not scaled. */
    lossScale?: number,
  ) {
    const copy = (): OptimizerState => ({
      weights: arena.float32(layout.weightCount),
      slots: optimizer.slots.map(() => arena.float32(layout.parameterCount)),
    });
    this.copies = [copy(), copy()];
    const position = { epoch: 0, firstPosition: 0 };
    const scalars = optimizer.initialScalars;
    this.progression = {
      step: 0,
      position,
      batchHistory: [{ fromStep: 1, globalBatchSize: firstBatchSize }],
      samplesSeen: 0,
      scalars,
      skippedSteps: 0,
      skippedInARow: 0,
      bestAccuracy: -1,
      bestStep: 0,
      ...(lossScale === undefined ? {} : { lossScale: firstLossScale(lossScale) }),
    };
  }

  /** What finished steps left. Read only. */
  get now(): OptimizerState {
    return this.copies[this.current];
  }

  /** Where the running step, or a state that is being pulled, is written. */
  get spare(): OptimizerState {
    return this.copies[this.current === 0 ? 1 : 0];
  }

  /** State 0. @param learningRate - what Rprop's step sizes begin with */
  initialise(weights: Float32Array, learningRate: number): void {
    this.now.weights.set(weights);
    for (const [i, slot] of this.optimizer.slots.entries()) {
      this.now.slots[i]!.fill(this.optimizer.initialSlotValue(slot, learningRate));
    }
  }

  /** Makes the spare copy the state. */
  swap(): void {
    this.current = this.current === 0 ? 1 : 0;
  }
}
