import type { LockstepError } from '../core/errors.js';
import { trainedPart } from '../core/layout.js';
import { microBatchAt, microBatchCount, type Batch } from '../data/batch-plan.js';
import { fault } from './faults.js';
import type { PreparedRun } from './prepared-run.js';

/**
 * What there is to say about a step whose sum is not finite: the first tensor, and the first micro-batch. The sums of
 * single micro-batches are gone by now, so they are computed again until one is not finite; state and data are still the
 * same. Every rank does so for the whole batch and finds the same.
 *
 * @param inARow - skipped steps up to this one
 */
export async function notFiniteFault(run: PreparedRun, batch: Batch, inARow: number): Promise<LockstepError> {
  const { engine, state, gradientSum, spec } = run;
  const { step: finished, lossScale } = state.progression;
  const step = finished + 1;
  const what = firstNotFinite(run, gradientSum);
  const count = microBatchCount(batch.sampleCount, spec.microBatchSize);
  for (let index = 0; index < count; index++) {
    const range = { first: index, end: index + 1 };
    const job = { purpose: 'gradient', ...batch, range, weights: state.now.weights } as const;
    const { nodes } = await engine.compute({ ...job, ...(lossScale ? { lossScale: lossScale.value } : {}) });
    if (nodes.every(({ values }) => values.every(Number.isFinite))) continue;
    const { first, end } = microBatchAt(index, batch.sampleCount, spec.microBatchSize);
    const where = `first in micro-batch ${index}, samples ${first} to ${end - 1} of the batch`;
    return fault('NOT_FINITE', { step, what, inARow, where });
  }
  const where = `none of the ${count} micro-batches is when computed again, so their sum overflows or a worker errs`;
  return fault('NOT_FINITE', { step, what, inARow, where });
}

/** In the order of the parameters; the loss is last. */
function firstNotFinite({ engine }: PreparedRun, gradientSum: Float32Array): string {
  const isDamaged = ({ offset, size }: { readonly offset: number; readonly size: number }): boolean =>
    !gradientSum.subarray(offset, offset + size).every(Number.isFinite);
  const { layout } = engine;
  const tensor = trainedPart(layout).tensors.find(isDamaged);
  if (tensor) return `the gradient of ${tensor.name}`;
  const { parameterCount } = layout;
  const average = layout.averages.find(({ extra, size }) => isDamaged({ offset: parameterCount + extra, size }));
  const averaged = average && layout.tensors.find(({ offset }) => offset === average.offset);
  return averaged ? `the statistic behind ${averaged.name}` : 'the loss';
}
