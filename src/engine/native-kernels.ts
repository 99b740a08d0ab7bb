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
  | {
      readonly available: true;
      readonly addon: NativeAddon;
      /** The instruction set, and where the addon comes from if that was looked for. */
      readonly variant: string;
    }
  /** `reason` is a clause for the log, `remedy` what would make them available. */
  | { readonly available: false; readonly reason: string; readonly remedy: string };

export interface NativeAddonFile {
  readonly file: string;
  /** For the log. */
  readonly origin: string;
}

/** Where an addon may be, the better one first. Prebuilt: `npm run prebuilt`; compiled by the set-up: scripts/native.mjs. */
export const nativeAddonFiles: readonly NativeAddonFile[] = [
  { file: join(packageRoot, `prebuilt/${process.platform}-${process.arch}/kernels.node`), origin: 'prebuilt' },
  { file: join(packageRoot, 'dist/native/kernels.node'), origin: 'compiled here' },
];

const again = 'delete dist/native, then npm run build';

let known: NativeStatus | undefined;

/**
 * Whether the native kernels can be used here, decided once a thread: an addon is there, loads, and gives the known
 * answer. `LOCKSTEP_NATIVE` is `0` to switch them off, or the file of another addon.
 */
export function nativeStatus(): NativeStatus {
  if (known) return known;
  const wanted = process.env['LOCKSTEP_NATIVE'];
  const isFile = wanted !== undefined && !['', '0', '1'].includes(wanted);
  return (known = findNative(isFile ? [{ file: wanted, origin: wanted }] : nativeAddonFiles, wanted));
}

/** The first addon that can be used; else why the first one that is there cannot. */
export function findNative(files: readonly NativeAddonFile[], wanted: string | undefined): NativeStatus {
  let refusal: NativeStatus | undefined;
  for (const { file, origin } of files) {
    const status = inspectNative(file, wanted);
    if (status.available) return { ...status, variant: `${status.variant}, ${origin}` };
    if (existsSync(file)) refusal ??= status;
  }
  return refusal ?? inspectNative(files.at(-1)!.file, wanted);
}

/** As `nativeStatus`, for a file and a switch of one's own. */
export function inspectNative(file: string, wanted: string | undefined): NativeStatus {
  if (wanted === '0')
    return { available: false, reason: 'LOCKSTEP_NATIVE=0 switches it off', remedy: 'unset LOCKSTEP_NATIVE' };
  if (!existsSync(file))
    return {
      available: false,
      reason: 'the native kernels were not compiled',
      remedy: compileCommand(process.platform, existsSync),
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

const installers = [
  ['/usr/bin/apt-get', 'apt-get install -y gcc libc6-dev'],
  ['/usr/bin/dnf', 'dnf install -y gcc'],
  ['/usr/bin/zypper', 'zypper install -y gcc'],
  ['/usr/bin/pacman', 'pacman -S --noconfirm gcc'],
  ['/sbin/apk', 'apk add gcc musl-dev'],
] as const;

/** What a person types to have the kernels compiled, in the folder of the package. */
export function compileCommand(platform: NodeJS.Platform, isThere: (path: string) => boolean): string {
  const [, install] = installers.find(([path]) => isThere(path)) ?? [];
  if (platform === 'linux' && install !== undefined) return `${install} && npm run build`;
  if (platform === 'darwin') return 'xcode-select --install && npm run build';
  return 'install clang or gcc, then npm run build';
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
