/** What the native addon is made of, for whoever compiles it: here by native.mjs, for other machines by prebuilt.mjs. */

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const kernels = join(root, 'src', 'engine', 'kernels');
const native = join(kernels, 'native');

/** As in src/engine/kernels/build.mjs: no multiplication may be fused with an addition, nothing may be reordered. */
export const commonFlags = [
  '-std=c11',
  '-O3',
  '-ffp-contract=off',
  '-fno-strict-aliasing',
  '-fno-math-errno',
  '-fPIC',
  '-fvisibility=hidden',
  '-w',
];

/**
 * Instruction sets, each with its flags. With AVX-512 vectors have 256 bits, since many layers have no more than 8 filters;
 * two of them side by side are one of 512 bits (kernels/tile.h): 49 G multiply-adds/s instead of 37 in the inner loop.
 */
const variants = {
  x64: {
    avx512: ['-DLANES=8', '-mavx2', '-mavx512f', '-mavx512vl', '-mavx512dq', '-mprefer-vector-width=512'],
    avx2: ['-DLANES=8', '-mavx2'],
    sse: ['-DLANES=4'],
  },
  arm64: { neon: ['-DLANES=4'] },
};

/** Translation units with their flags; none where the addon cannot be built. */
export function unitsFor(platform, arch) {
  if (!['linux', 'darwin', 'win32'].includes(platform) || !(arch in variants)) return [];
  const unit = (name, source, flags = []) => ({
    name,
    source: join(native, source),
    flags: [...commonFlags, ...flags],
  });
  return [
    unit('addon', 'addon.c'),
    ...(platform === 'win32' ? [unit('windows', 'windows.c')] : []),
    ...Object.entries(variants[arch]).map(([name, flags]) => unit(name, 'variant.c', [`-DVARIANT=${name}`, ...flags])),
  ];
}

/** Of all sources and flags: an addon with another one may not understand the programs of our plans. */
export function sourcesDigest() {
  const hash = createHash('sha256').update(JSON.stringify([commonFlags, variants]));
  for (const place of [kernels, native])
    for (const name of readdirSync(place).sort())
      if (/\.[ch]$/.test(name))
        hash
          .update(`${name}\0`)
          .update(readFileSync(join(place, name)))
          .update('\0');
  return hash.digest('hex');
}

/** The folder of prebuilt addons, `<platform>-<arch>/kernels.node`, and the digest of the sources that they were made from. */
export const prebuiltFolder = join(root, 'prebuilt');
export const prebuiltStamp = join(prebuiltFolder, '.sources');
