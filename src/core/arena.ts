/**
 * Memory that the threads of one process and the compute kernels share: a WebAssembly memory with a bump allocator.
 *
 * What a kernel writes, the exchange reads in place. Nothing is ever freed: all of it is laid out when a run starts, so
 * that a step allocates nothing.
 */

const pageBytes = 65_536;
/** Every block starts on a cache line, which is also the widest vector that a kernel uses. */
const alignmentBytes = 64;
/** A kernel may read so far behind the end of a block. */
const vectorBytes = 64;
/** 4 GiB, what wasm32 can address. Only reserved, not committed. */
const maximumPages = 65_536;
/** The int32 index at which the allocator keeps its position, in units of `alignmentBytes`. Address 0 stays unused. */
const positionIndex = 2;

export class Arena {
  private readonly position: Int32Array;

  /** Adopts a memory whose allocator was set up by `createArena`, as a thread does with the memory it is handed. */
  constructor(readonly memory: WebAssembly.Memory) {
    this.position = new Int32Array(memory.buffer, 0, 4);
  }

  /** Reserves `bytes`, zeroed, and returns their address. Safe to call from several threads at once. */
  reserve(bytes: number): number {
    const blocks = Math.ceil(bytes / alignmentBytes);
    const address = (Atomics.add(this.position, positionIndex, blocks) >>> 0) * alignmentBytes;
    for (;;) {
      const missing = address + bytes + vectorBytes - this.memory.buffer.byteLength;
      if (missing <= 0) return address;
      this.memory.grow(Math.ceil(missing / pageBytes)); // another thread may grow it too: then there is more than enough
    }
  }

  float32(length: number): Float32Array<SharedArrayBuffer> {
    const address = this.reserve(length * 4);
    return new Float32Array(this.buffer, address, length);
  }

  uint8(length: number): Uint8Array<SharedArrayBuffer> {
    const address = this.reserve(length);
    return new Uint8Array(this.buffer, address, length);
  }

  /** The memory as it is now. Views on it stay valid when it grows. */
  get buffer(): SharedArrayBuffer {
    return this.memory.buffer as unknown as SharedArrayBuffer;
  }
}

/**
 * A new arena. Its first `reservedBytes` are left to the kernels' module, whose linker put its data and stack there.
 *
 * @param reservedBytes - at least 64; default 1 MiB
 */
export function createArena(reservedBytes = 1 << 20): Arena {
  const memory = new WebAssembly.Memory({
    initial: Math.ceil(reservedBytes / pageBytes) + 1,
    maximum: maximumPages,
    shared: true,
  });
  const position = new Int32Array(memory.buffer as unknown as SharedArrayBuffer, 0, 4);
  position[positionIndex] = Math.ceil(reservedBytes / alignmentBytes);
  return new Arena(memory);
}
