/** A loss that is a function of a run's module. */
import type { SampleFunction } from '../own/definition.js';
import { fault } from '../own/faults.js';
import { loadRunModule } from '../own/load-module.js';
import type { Loss } from './losses.js';
import type { OwnLossOptions } from './own-loss-options.js';
import { tf } from './tensorflow.js';
import { userTensorFlow } from './user-tensorflow.js';

/** @throws LockstepError as `loadRunModule` does, `LOSS_MALFORMED` later, when it is called */
export async function loadOwnLoss({ path }: OwnLossOptions): Promise<Loss> {
  const { loss } = await loadRunModule(path);
  if (typeof loss !== 'function') throw new Error(`${path} has no loss of its own any more`);
  return {
    sum: (outputs, labels) => tf.sum(valuesOf(path, loss, labels, outputs)),
    correctCount: (outputs, labels) => {
      const areClasses = labels.rank === 1 && labels.dtype === 'int32' && outputs.rank === 2 && outputs.shape[1]! > 1;
      return areClasses ? tf.sum(tf.equal(tf.argMax(outputs, 1), labels)) : tf.scalar(0);
    },
  };
}

function valuesOf(path: string, loss: SampleFunction, labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
  const m = outputs.shape[0];
  const no = (actual: string, cause?: unknown): Error =>
    fault('LOSS_MALFORMED', { path, name: 'loss', expected: `one value a sample, [${m}]`, actual }, cause);
  let values: unknown;
  try {
    values = loss(userTensorFlow, labels, outputs);
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
