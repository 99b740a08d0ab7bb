import { chooseAdapter, type Adapter } from './adapters.js';

/**
 * Which GPU each worker of one machine gets: its own, in turns where there are more workers than GPUs. A GPU that is named is
 * for all of them.
 *
 * @param workers - `auto` is one for each GPU
 * @param gpu - as `--gpu` has it
 * @returns an index for each worker, as `--gpu` takes it
 * @throws what `chooseAdapter` throws
 */
export function placeOnGpus(workers: number | 'auto', gpu: string, adapters: readonly Adapter[]): readonly string[] {
  const chosen = chooseAdapter(gpu, adapters);
  const usable = gpu === 'auto' ? adapters.filter(({ isSoftware, isHidden }) => !isSoftware && !isHidden) : [chosen];
  return Array.from({ length: workers === 'auto' ? usable.length : workers }, (_, i) =>
    String(usable[i % usable.length]!.index),
  );
}
