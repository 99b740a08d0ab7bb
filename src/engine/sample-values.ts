import type { SampleFunction } from '../own/definition.js';
import { fault } from '../own/faults.js';
import { tf } from './tensorflow.js';
import { userTensorFlow } from './user-tensorflow.js';

/** A loss or a metric of a run's module, for faults. */
export interface Origin {
  readonly path: string;
  /** `loss`, or `metrics.` and a name. */
  readonly name: string;
}

/**
 * One value for each sample, of a function that somebody else wrote.
 *
 * @throws LockstepError `LOSS_MALFORMED` if it throws, or returns something else
 */
export function sampleValues(
  { path, name }: Origin,
  valuesOf: SampleFunction,
  labels: tf.Tensor,
  outputs: tf.Tensor,
): tf.Tensor {
  const m = outputs.shape[0];
  const no = (actual: string, cause?: unknown): Error =>
    fault('LOSS_MALFORMED', { path, name, expected: `one value a sample, [${m}]`, actual }, cause);
  let values: unknown;
  try {
    values = valuesOf(userTensorFlow, labels, outputs);
  } catch (error) {
    throw no(
      `nothing but an error, ${error instanceof Error ? error.message.split('\n', 1)[0] : String(error)}`,
      error,
    );
  }
  if (!(values instanceof tf.Tensor)) throw no(`a value of type ${typeof values}`);
  const { shape } = values as tf.Tensor;
  if (shape.join() === String(m)) return values as tf.Tensor;
  throw no(`a tensor of shape [${shape.join(', ')}]`);
}
