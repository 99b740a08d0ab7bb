/** Everything that a step reads and the next one needs, besides the position in the data. */
export interface OptimizerState {
  /** float32[weightCount]: those that are trained come first. */
  readonly weights: Float32Array;
  /** One float32[parameterCount] for each of `Optimizer.slots`, in that order. */
  readonly slots: readonly Float32Array[];
}

/** float64 values that advance once a step: `t`, running products of beta. Plain data, so that it travels and is stored. */
export type OptimizerScalars = Readonly<Record<string, number>>;

/** What is the same for all elements of one step. */
export interface StepFactors {
  readonly learningRate: number;
  /** Samples behind the gradient sum, over all workers; the divisor. At least 1. */
  readonly sampleCount: number;
  /** Factor from clipping by global norm, 1 without. The gradient is the sum times (clipFactor / sampleCount), in float64. */
  readonly clipFactor: number;
}

/** The loops of update rules that kernels have too, in the order of kernels/update-loops.c. */
export const updateLoops = [
  'sgd',
  'momentum',
  'adam',
  'rmsprop',
  'adagrad',
  'adadelta',
  'rprop',
  'lars',
  'lamb',
] as const;

/** What a loop over elements `begin..end-1` is told besides the vectors. */
export interface LoopCall {
  readonly begin: number;
  readonly end: number;
  /** The same for all elements; their order is that of the kernel. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** An update rule over flat float32 vectors, in float64 inside; each stored value is rounded once. */
export interface Optimizer {
  readonly name: string;
  /** Names of the state vectors, all float32[parameterCount]; they name the tensors of a checkpoint. */
  readonly slots: readonly string[];
  /**
   * `element`: an element of the gradient moves its own weight alone, so a part can be updated as soon as it is there.
   * `tensor`: `update` reads all of the gradient, whichever elements it is asked for.
   */
  readonly reads: 'element' | 'tensor';
  /** What slot `index` holds before the first step: zeros, except Rprop's step sizes. */
  initialSlotValue(slot: string, learningRate: number): number;
  readonly initialScalars: OptimizerScalars;
  /** The scalars of the step that follows `scalars`. Called once a step, before `update`. */
  advance(scalars: OptimizerScalars): OptimizerScalars;
  /** What of its work a kernel can do: this loop, with these calls, is all that `update` does. */
  readonly loop: (typeof updateLoops)[number];
  /**
   * What the loop is called with for elements begin..end-1.
   *
   * @param length - of the weights
   */
  calls(
    scalars: OptimizerScalars,
    factors: StepFactors,
    begin: number,
    end: number,
    length: number,
  ): readonly LoopCall[];
  /**
   * Reads elements begin..end-1 of `from` and `gradientSum`, writes those of `to`. `from` is left as it is, so a step can
   * be given up at any point.
   *
   * @param scalars - what `advance` returned for this step
   */
  update(
    from: OptimizerState,
    to: OptimizerState,
    gradientSum: Float32Array,
    scalars: OptimizerScalars,
    factors: StepFactors,
    begin: number,
    end: number,
  ): void;
}
