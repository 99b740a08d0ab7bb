import type { Arena } from '../core/arena.js';
import { loadWasmKernels, type Kernels } from './kernels.js';
import { bindNative, nativeStatus } from './native-kernels.js';

/**
 * Kernels for what a worker does outside of its engine: native ones where they load, else WebAssembly. Both give the same
 * bits, so that it does not matter which engine computes.
 *
 * @throws LockstepError `KERNELS_UNREADABLE`
 */
export async function fastestKernels(arena: Arena): Promise<Kernels> {
  const native = nativeStatus();
  return native.available ? bindNative(native.addon, arena) : loadWasmKernels(arena);
}
