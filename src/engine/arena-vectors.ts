import type { Vectors } from '../collective/workspace.js';
import type { Arena } from '../core/arena.js';
import { codecKernels } from './codec-kernels.js';
import type { Kernels } from './kernels.js';

/** Vectors in the arena, added by the kernels. */
export function arenaVectors(arena: Arena, kernels: Kernels): Vectors {
  const isHere = (vector: Float32Array): boolean => vector.buffer instanceof SharedArrayBuffer;
  return {
    codecs: codecKernels(kernels, arena),
    allocate: (length) => arena.float32(length),
    add(target, source) {
      // The kernels trust addresses: nothing but this stands between a vector from elsewhere and the memory.
      if (target.length !== source.length || !isHere(target) || !isHere(source))
        throw new TypeError(`cannot add ${source.length} elements to ${target.length} in the arena`);
      kernels.add(0, target.byteOffset, source.byteOffset, target.length);
    },
  };
}
