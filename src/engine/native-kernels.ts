import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { createArena, type Arena } from '../core/arena.js';
import { packageRoot } from '../core/paths.js';
import { fault } from './faults.js';
import type { Kernels } from './kernels.js';
import { answerOf, knownAnswer } from './known-answer.js';

/** What kernels/native/addon.c exports. */
export interface NativeAddon {
  /** Instruction sets that this processor has and the addon was compiled for, best first. */
  readonly variants: readonly string[];
  /** Kernels that work in place on the memory behind `bytes`, which begins at its address 0. */
  bind(bytes: Uint8Array, variant: number): Kernels;
}

export type NativeStatus =
  | { readonly available: true; readonly addon: NativeAddon; readonly variant: string }
  /** `reason` is a clause for the log, `remedy` what would make them available. */
  | { readonly available: false; readonly reason: string; readonly remedy: string };

/** Where the set-up puts it: scripts/native.mjs. */
export const nativeAddonFile = join(packageRoot, 'dist/native/kernels.node');

const again = 'delete dist/native, then npm run build';

let known: NativeStatus | undefined;

/**
 * Whether the native kernels can be used here, decided once a thread: the addon is there, loads, and gives the known
 * answer. `LOCKSTEP_NATIVE=0` switches them off.
 */
export function nativeStatus(): NativeStatus {
  known ??= inspectNative(nativeAddonFile, process.env['LOCKSTEP_NATIVE']);
  return known;
}

/** As `nativeStatus`, for a file and a switch of one's own. */
export function inspectNative(file: string, wanted: string | undefined): NativeStatus {
  if (wanted === '0')
    return { available: false, reason: 'LOCKSTEP_NATIVE=0 switches it off', remedy: 'unset LOCKSTEP_NATIVE' };
  if (!existsSync(file))
    return {
      available: false,
      reason: 'the native kernels were not compiled',
      remedy: 'install clang or gcc, then npm run build',
    };
  let addon: NativeAddon;
  try {
    addon = createRequire(import.meta.url)(file) as NativeAddon;
  } catch (error) {
    const [message] = (error as Error).message.split('\n', 1);
    return { available: false, reason: `the addon does not load: ${message}`, remedy: again };
  }
  return judgeNative(addon, knownAnswer);
}

/** Whether an addon computes the bits that it has to. */
export function judgeNative(addon: NativeAddon, expected: string): NativeStatus {
  const arena = createArena();
  const answer = answerOf(bindNative(addon, arena), arena);
  return answer === expected
    ? { available: true, addon, variant: addon.variants[0]! }
    : {
        available: false,
        reason: `the addon was refused, since its bits differ (${answer.slice(0, 12)})`,
        remedy: again,
      };
}

/** @param variant - index into `variants`; default 0, the best */
export function bindNative(addon: NativeAddon, arena: Arena, variant = 0): Kernels {
  return addon.bind(new Uint8Array(arena.buffer), variant);
}

/**
 * The native kernels over the arena.
 *
 * @throws LockstepError `ENGINE_UNAVAILABLE`
 */
export function loadNativeKernels(arena: Arena): Kernels {
  const status = nativeStatus();
  if (!status.available) throw fault('ENGINE_UNAVAILABLE', { engine: 'native', reason: status.reason });
  return bindNative(status.addon, arena);
}
