import type { Gpu } from './device.js';
import { fault } from './faults.js';

/**
 * Does work on a GPU and waits for it. WebGPU reports most failures beside the work, which goes on with nonsense: they are
 * collected here.
 *
 * @param microBatch - samples of the work, for the complaint
 * @throws LockstepError `GPU_OUT_OF_MEMORY`, `GPU_LOST`; and what `work` throws
 */
export async function guarded(gpu: Gpu, microBatch: number, work: () => Promise<void>): Promise<void> {
  const { device } = gpu;
  const tooLarge = (reason: string): Error =>
    fault('GPU_OUT_OF_MEMORY', { name: gpu.adapter.name, microBatch, reason: firstLine(reason) });
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  let failure: { readonly error: unknown } | undefined;
  try {
    await work();
  } catch (error) {
    failure = { error };
  }
  const [memory, validation] = await Promise.all([device.popErrorScope(), device.popErrorScope()]).catch(() => []);
  await Promise.resolve(); //                                         a loss and its consequences are told in one turn
  const loss = gpu.loss();
  if (loss) throw loss;
  if (memory) throw tooLarge(memory.message);
  if (validation) throw isAboutSize(validation.message) ? tooLarge(validation.message) : new Error(validation.message);
  if (failure) throw isRefusedBuffer(failure.error) ? tooLarge((failure.error as Error).message) : failure.error;
}

/** A buffer, or a view of one, above the limits of the device. */
const isAboutSize = (message: string): boolean =>
  /exceeds the max|larger than the max|greater than the max/i.test(message);

/** A buffer that is to be filled from here is refused by an exception. */
const isRefusedBuffer = (error: unknown): boolean => error instanceof RangeError && /buffer/i.test(error.message);

const firstLine = (text: string): string => text.split('\n', 1)[0]!;
