import { sizeOf } from './shape.js';

/** Where each tensor of a model lies in the flat float32 vectors of its weights and gradients. */
export interface TensorSlot {
  /** Layer and role: `conv1.kernel`. */
  readonly name: string;
  /** TensorFlow.js's layouts: HWIO kernels, [in, out] matrices. */
  readonly shape: readonly number[];
  /** Index of the first element in the flat vector. */
  readonly offset: number;
  /** Elements. */
  readonly size: number;
}

/** A weight that no gradient changes: each step takes it a part of the way to a statistic of the step's samples. */
export interface RunningAverage {
  /** In the weights. */
  readonly offset: number;
  readonly size: number;
  /** Where its statistic lies behind the gradient: `gradient[parameterCount + extra]` on. Summed over samples. */
  readonly extra: number;
  /** What is kept of the old value, in 0..1. */
  readonly momentum: number;
}

/** A weight whose size the loss counts in: l1 * sum |w| + l2 * sum w^2. */
export interface Penalty {
  readonly offset: number;
  readonly size: number;
  readonly l1: number;
  readonly l2: number;
}

/**
 * The canonical order of a model's weights: those that are trained, by layer, kernel before bias; then the others. The
 * gradient, and every vector of an optimizer, covers the first ones and no more.
 */
export interface ParameterLayout {
  readonly tensors: readonly TensorSlot[];
  /** Elements that are trained: the gradient's length. */
  readonly parameterCount: number;
  /** Elements of all tensors: the length of the weights. */
  readonly weightCount: number;
  /** Elements behind the gradient that go through the same tree: loss sum, correct count, statistics of `averages`. */
  readonly extraCount: number;
  readonly averages: readonly RunningAverage[];
  readonly penalties: readonly Penalty[];
}

/** Extras of every model: loss sum, count of correct answers. An evaluation has these, and the sums of the run's metrics. */
export const evaluationCount = 2;

/** Elements of the sum of an evaluation. */
export function evaluationLength(metrics: readonly unknown[] | undefined): number {
  return evaluationCount + (metrics?.length ?? 0);
}

/** Elements of the sum of a step: the gradient, the extras, and the squared norms of micro-batches. */
export function stepSumLength({ parameterCount, extraCount }: ParameterLayout): number {
  return parameterCount + extraCount + 1;
}

/** A tensor before it has its place. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Default true. */
  readonly trainable?: boolean;
  /** The momentum of a running average, which is not trainable. */
  readonly averageMomentum?: number;
  readonly penalty?: { readonly l1: number; readonly l2: number };
}

/** Lays tensors one after the other, without gaps, in the order given, those that are not trainable last. */
export function layoutOf(tensors: readonly TensorSpec[]): ParameterLayout {
  const isTrained = (tensor: TensorSpec): boolean => tensor.trainable !== false;
  const slots: TensorSlot[] = [];
  const averages: RunningAverage[] = [];
  const penalties: Penalty[] = [];
  let [offset, extra, parameterCount] = [0, evaluationCount, 0];
  for (const tensor of [...tensors.filter(isTrained), ...tensors.filter((t) => !isTrained(t))]) {
    const { name, shape, averageMomentum: momentum, penalty } = tensor;
    const size = sizeOf(shape);
    slots.push({ name, shape, offset, size });
    if (penalty && isTrained(tensor)) penalties.push({ offset, size, ...penalty });
    if (momentum !== undefined) {
      averages.push({ offset, size, extra, momentum });
      extra += size;
    }
    offset += size;
    if (isTrained(tensor)) parameterCount = offset;
  }
  return { tensors: slots, parameterCount, weightCount: offset, extraCount: extra, averages, penalties };
}

/** The layout of what is trained: of a gradient, or of an optimizer's state. */
export function trainedPart(layout: ParameterLayout): ParameterLayout {
  const { tensors, parameterCount } = layout;
  return {
    ...layout,
    tensors: tensors.filter(({ offset }) => offset < parameterCount),
    weightCount: parameterCount,
    averages: [],
  };
}
