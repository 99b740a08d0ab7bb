import type { CodecKernels } from './codecs/kernels.js';

/** What the exchange needs of the compute kernels. The engine implements it over the arena, `plainVectors` without one. */
export interface Vectors {
  /** Absent: codecs encode in plain JavaScript. */
  readonly codecs?: CodecKernels;
  /** A new float32 vector, zeroed. It is never freed. */
  allocate(length: number): Float32Array;
  /** `target[i] += source[i]`, each sum rounded to float32. Equally long; both allocated here or by the engine. */
  add(target: Float32Array, source: Float32Array): void;
}

/** In plain JavaScript: for tests, and wherever there are no kernels. */
export const plainVectors: Vectors = {
  allocate: (length) => new Float32Array(length),
  add(target, source) {
    for (let i = 0; i < target.length; i++) target[i] = target[i]! + source[i]!;
  },
};

const blockFloats = 256 * 1024;
/** Vectors begin on a cache line. */
const grainFloats = 16;

/** Memory for what a round receives, the same for one round after the other, so that a step allocates nothing. */
export class Workspace {
  private readonly blocks: Float32Array[] = [];
  private block = 0;
  private used = 0;

  constructor(readonly vectors: Vectors) {}

  /** Everything that was taken is free again. */
  reset(): void {
    this.block = 0;
    this.used = 0;
  }

  /** float32[length], valid until the next reset; holds anything. */
  take(length: number): Float32Array {
    while (this.block < this.blocks.length && this.used + length > this.blocks[this.block]!.length) {
      this.block += 1;
      this.used = 0;
    }
    const block = (this.blocks[this.block] ??= this.vectors.allocate(Math.max(length, blockFloats)));
    const begin = this.used;
    this.used += Math.ceil(length / grainFloats) * grainFloats;
    return block.subarray(begin, begin + length);
  }
}
