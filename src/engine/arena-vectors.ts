import type { Vectors } from '../collective/workspace.js';
import type { Arena } from '../core/arena.js';
import { loadWasmKernels } from './kernels.js';
import { bindNative, nativeStatus } from './native-kernels.js';

/**
 * Vectors in the arena, added by the kernels: native ones where they load, else WebAssembly. Both give the same bits, so
 * that it does not matter which engine computes.
 *
 * @throws LockstepError `KERNELS_UNREADABLE`
 */
export async function arenaVectors(arena: Arena): Promise<Vectors> {
  const native = nativeStatus();
  const kernels = native.available ? bindNative(native.addon, arena) : await loadWasmKernels(arena);
  const isHere = (vector: Float32Array): boolean => vector.buffer instanceof SharedArrayBuffer;
  return {
    allocate: (length) => arena.float32(length),
    add(target, source) {
      // The kernels trust addresses: nothing but this stands between a vector from elsewhere and the memory.
      if (target.length !== source.length || !isHere(target) || !isHere(source))
        throw new TypeError(`cannot add ${source.length} elements to ${target.length} in the arena`);
      kernels.add(0, target.byteOffset, source.byteOffset, target.length);
    },
  };
}
