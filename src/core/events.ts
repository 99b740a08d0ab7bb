/** What a run says while it goes: the progress line, `--json` and metrics.jsonl are views of these. */

/** Seconds of one step on one worker, by phase. They add up to the step's duration. */
export interface PhaseSeconds {
  /** Forward and backward of the worker's own range. */
  readonly compute: number;
  /** How much of `compute` was a wait for samples that are read from somewhere; absent where there was none. */
  readonly input?: number;
  /** From own sums ready until the last peer's are there: the price of unequal speed. */
  readonly wait: number;
  /** From then on until the whole sum is gathered. */
  readonly exchange: number;
  /** Norm, clipping, optimizer. */
  readonly update: number;
}

/** Where the time of one worker's step went, as it tells the coordinator with its heartbeats. */
export interface StepTiming {
  readonly step: number;
  /** When it began, by the worker's own clock. */
  readonly beginMs: number;
  readonly seconds: PhaseSeconds;
  /** Of the peer whose part came last; -1 when there was nobody to wait for. */
  readonly slowestRank: number;
}

/** A finished step, as a line of metrics.jsonl and of `--json` has it. */
export interface StepRecord {
  /** 1-based: steps finished after this one. */
  readonly step: number;
  /** 0-based pass over the data. */
  readonly epoch: number;
  /** Mean over the step's samples. */
  readonly loss: number;
  /** Share of the step's samples that were answered correctly; null in a run whose answers are not correct or wrong. */
  readonly accuracy: number | null;
  readonly learningRate: number;
  readonly globalBatchSize: number;
  /** Samples of this step: less than `globalBatchSize` at the end of an epoch. */
  readonly sampleCount: number;
  readonly worldSize: number;
  readonly generation: number;
  /** L2 norm of the mean gradient, before clipping. */
  readonly gradientNorm: number;
  /** Samples, averaged over steps (McCandlish et al. 2018); absent while it is not known. */
  readonly gradientNoiseScale?: number;
  /** What the loss was multiplied with, where it was (--loss-scale). */
  readonly lossScale?: number;
  /** Whether the sum was not finite, so that weights and optimizer stayed as they were. */
  readonly skipped: boolean;
  readonly seconds: PhaseSeconds;
}

/** An evaluation, as a line of metrics.jsonl and of `--json` has it. */
export interface EvaluationRecord {
  readonly step: number;
  readonly epoch: number;
  readonly testLoss: number;
  /** Null as in `StepRecord`. */
  readonly testAccuracy: number | null;
  /** Whether no earlier evaluation of the run had a higher accuracy, or a lower loss where there is no accuracy. */
  readonly best: boolean;
  /** By name, means over the samples of the test set; absent in a run without metrics. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/** `report.json`, and the last line of `--json`. */
export interface RunReport {
  readonly formatVersion: 1;
  readonly runId: string;
  readonly outcome: 'finished' | 'target-reached' | 'interrupted';
  readonly steps: number;
  readonly epochs: number;
  /** Of the last step. */
  readonly finalLoss: number | null;
  /** Of the last evaluation; null without one. */
  readonly testLoss: number | null;
  /** Of the evaluation whose weights are kept as the best. */
  readonly bestTestLoss: number | null;
  /** Null also where answers are not correct or wrong. */
  readonly testAccuracy: number | null;
  readonly bestTestAccuracy: number | null;
  /** Of the last evaluation, by name; absent in a run without metrics. */
  readonly testMetrics?: Readonly<Record<string, number>>;
  /** Training only: samples by the time in which steps ran. */
  readonly imagesPerSecond: number;
  /** Share of the time of steps, on rank 0, that was a wait for samples to be read; absent where there was none. */
  readonly inputWaitRatio?: number;
  readonly secondsTotal: number;
  readonly worldSize: number;
  readonly globalBatchSize: number;
  readonly microBatchSize: number;
  readonly model: string;
  readonly parameterCount: number;
  readonly optimizer: string;
  readonly engine: string;
  readonly bitExact: boolean;
  /** Present when `bitExact` is false. */
  readonly bitExactReason?: string;
  readonly weightsDigest: string;
  readonly skippedSteps: number;
  /** At the end, in samples: batches far above it save few steps. Absent where it was not seen. */
  readonly gradientNoiseScale?: number;
  /** Folder of the run. */
  readonly out: string;
  /** The command that continues the run, if it was interrupted. */
  readonly resumeWith?: string;
}

/** What happens in a run, in the words of `--json`. */
export type RunEvent =
  | {
      readonly type: 'listening';
      readonly coordinator: string;
      /** URLs. */
      readonly metrics: string;
      readonly page: string;
      /** What to type on another host to join; it has a secret in it. */
      readonly join?: string;
    }
  | { readonly type: 'waiting'; readonly joined: number; readonly worldSize: number }
  | {
      readonly type: 'started';
      readonly runId: string;
      readonly out: string;
      readonly model: string;
      /** Whether answers are correct or wrong, so that there is an accuracy. */
      readonly hasAccuracy: boolean;
      readonly parameterCount: number;
      readonly engine: string;
      /** Why our own kernels do not run the model, naming the layer: then it runs op by op, which is slower. */
      readonly opByOp?: string;
      readonly worldSize: number;
      readonly globalBatchSize: number;
      readonly microBatchSize: number;
      readonly optimizer: string;
      /** Before schedule and warm-up, scaled to the batch if that was asked for. */
      readonly learningRate: number;
      readonly warmupSteps: number;
      readonly stepsTotal: number;
      readonly stepsPerEpoch: number;
      readonly epochsTotal: number;
    }
  | ({ readonly type: 'step'; readonly imagesPerSecond: number } & StepRecord)
  | ({ readonly type: 'evaluation' } & EvaluationRecord)
  | {
      /** The run goes on with other workers than before. */
      readonly type: 'membership';
      readonly generation: number;
      /** Steps finished before; none of them is lost. */
      readonly step: number;
      readonly worldSize: number;
      readonly joined: readonly string[];
      readonly left: readonly string[];
      /** Why those that left did, in words. */
      readonly reason: string;
    }
  | {
      /** The members are the same, but ranges follow their measured speed: no result changes. */
      readonly type: 'ranges';
      readonly generation: number;
      /** Steps finished before. */
      readonly step: number;
      /** By rank: what each computes of a full batch from now on, and why. */
      readonly workers: readonly {
        readonly workerId: string;
        readonly microBatches: number;
        /** Measured lately; null while it is not known. */
        readonly secondsPerSample: number | null;
      }[];
    }
  /** A state of the run is on the disk; `seconds` from asking for it until then. */
  | { readonly type: 'checkpoint'; readonly step: number; readonly seconds: number }
  /** The run goes on without it. */
  | { readonly type: 'checkpoint-failed'; readonly step: number; readonly reason: string }
  | {
      /** The run was begun by an earlier process, and goes on here. */
      readonly type: 'resumed';
      /** Steps that are in the checkpoint. */
      readonly step: number;
      /** Nothing is left to do: the report that follows is the earlier one. */
      readonly isFinished: boolean;
    }
  | {
      /** This coordinator took over from one that was gone; the workers went on meanwhile. */
      readonly type: 'restored';
      /** The last step that is on record. */
      readonly step: number;
      readonly term: number;
    }
  | { readonly type: 'stopping'; readonly reason: string }
  | ({ readonly type: 'result' } & RunReport)
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly remedy: string };
