import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Arena } from '../core/arena.js';
import { packageRoot } from '../core/paths.js';
import { fault } from './faults.js';

/** What the kernels' module exports. Addresses and lengths as kernels/program.h has them. */
export interface Kernels {
  run_program(memory: 0, program: number, words: number, m: number, weights: number, sums: number): void;
  run_loop(memory: 0, call: number): void;
  add(memory: 0, target: number, source: number, size: number): void;
  /** @param request - address of a `codec_request` */
  code(memory: 0, request: number): void;
  lane_count(): number;
}

interface WasmKernels extends Kernels {
  readonly __stack_pointer: WebAssembly.Global;
}

const stackBytes = 65_536;

/**
 * WebAssembly: an instance of the compiled kernels over the arena, with a stack of its own, so that each thread can have one.
 *
 * @throws LockstepError `KERNELS_UNREADABLE`
 */
export async function loadWasmKernels(
  arena: Arena,
  file = join(packageRoot, 'src/engine/kernels/kernels.wasm'),
): Promise<Kernels> {
  try {
    const { instance } = await WebAssembly.instantiate(await readFile(file), { env: { memory: arena.memory } });
    const kernels = instance.exports as unknown as WasmKernels;
    kernels.__stack_pointer.value = arena.reserve(stackBytes) + stackBytes;
    return kernels;
  } catch (error) {
    throw fault('KERNELS_UNREADABLE', { file }, error);
  }
}
