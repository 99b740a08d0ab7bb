/** A loss that is a function of a run's module. */
import { loadRunModule } from '../own/load-module.js';
import type { Loss } from './losses.js';
import type { OwnLossOptions } from './own-loss-options.js';
import { sampleValues } from './sample-values.js';
import { tf } from './tensorflow.js';

/** @throws LockstepError as `loadRunModule` does, `LOSS_MALFORMED` later, when it is called */
export async function loadOwnLoss({ path }: OwnLossOptions): Promise<Loss> {
  const { loss } = await loadRunModule(path);
  if (typeof loss !== 'function') throw new Error(`${path} has no loss of its own any more`);
  return {
    sum: (outputs, labels) => tf.sum(sampleValues({ path, name: 'loss' }, loss, labels, outputs)),
    correctCount: (outputs, labels) => {
      const areClasses = labels.rank === 1 && labels.dtype === 'int32' && outputs.rank === 2 && outputs.shape[1]! > 1;
      return areClasses ? tf.sum(tf.equal(tf.argMax(outputs, 1), labels)) : tf.scalar(0);
    },
  };
}
