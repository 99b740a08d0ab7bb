/**
 * Compiles the kernels to dist/native/kernels.node, a Node-API addon, where a C compiler is at hand.
 *
 * Quiet, and no failure is an error: without the addon the same kernels run as WebAssembly, with the same bits, at about
 * half the speed. It needs neither node-gyp nor Node's headers.
 */

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const kernels = join(root, 'src', 'engine', 'kernels');
const folder = join(root, 'dist', 'native');
const addon = join(folder, 'kernels.node');
const stamp = join(folder, '.sources');

/** clang first: its code was some percent faster than that of gcc 12. */
const compilers = ['clang', 'gcc', 'cc'];

/** As in src/engine/kernels/build.mjs: no multiplication may be fused with an addition, nothing may be reordered. */
const commonFlags = [
  '-std=c11',
  '-O3',
  '-ffp-contract=off',
  '-fno-strict-aliasing',
  '-fno-math-errno',
  '-fPIC',
  '-fvisibility=hidden',
  '-w',
];

/** Instruction sets, each with its flags. 256 bits with AVX-512's 32 registers beat its 512 bits: more sums stay in registers. */
const variants = {
  x64: {
    avx512: ['-DLANES=8', '-mavx2', '-mavx512f', '-mavx512vl', '-mavx512dq', '-mprefer-vector-width=256'],
    avx2: ['-DLANES=8', '-mavx2'],
    sse: ['-DLANES=4'],
  },
  arm64: { neon: ['-DLANES=4'] },
};

/** Does nothing when the addon is up to date, or could not be built from these sources with these compilers before. */
export function buildNative() {
  if (unitsFor(process.platform, process.arch).length > 0 && !isUpToDate())
    spawnSync(process.execPath, [fileURLToPath(import.meta.url)], { stdio: 'ignore' }); // there, all compilations run at once
}

function isUpToDate() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === digest();
}

async function build() {
  const sources = digest();
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(folder, '.building-'));
  try {
    const built = await compile(unitsFor(process.platform, process.arch), scratch);
    // A new file in the place of the old one, which processes that run now may have loaded.
    if (built) renameSync(built, addon);
    else rmSync(addon, { force: true });
    writeFileSync(stamp, sources);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Translation units with their flags; none where the addon cannot be built. */
function unitsFor(platform, arch) {
  if (platform !== 'linux' && platform !== 'darwin') return [];
  const wanted = Object.entries(variants[arch] ?? {});
  if (wanted.length === 0) return [];
  return [
    { name: 'addon', source: join(kernels, 'native', 'addon.c'), flags: [] },
    ...wanted.map(([name, flags]) => ({
      name,
      source: join(kernels, 'native', 'variant.c'),
      flags: [`-DVARIANT=${name}`, ...flags],
    })),
  ];
}

/** Of everything that the addon is made of, and of the list of compilers that were found. */
function digest() {
  const { platform, arch } = process;
  const hash = createHash('sha256').update(
    JSON.stringify([platform, arch, commonFlags, variants, compilers.filter(onPath)]),
  );
  for (const place of [kernels, join(kernels, 'native')]) {
    for (const name of readdirSync(place).sort()) {
      if (/\.[ch]$/.test(name))
        hash
          .update(name)
          .update('\0')
          .update(readFileSync(join(place, name)))
          .update('\0');
    }
  }
  return hash.digest('hex');
}

function onPath(name) {
  return (process.env.PATH ?? '').split(':').some((place) => existsSync(join(place, name)));
}

/** @returns the addon's file, or undefined if no compiler can make it */
async function compile(units, scratch) {
  const out = join(scratch, 'kernels.node');
  const linking = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : ['-Wl,-s'];
  for (const compiler of compilers.filter(onPath)) {
    const object = ({ name }) => join(scratch, `${name}.o`);
    const compiled = await Promise.all(
      units.map((unit) => run(compiler, [...commonFlags, ...unit.flags, '-c', unit.source, '-o', object(unit)])),
    );
    if (compiled.every(Boolean) && (await run(compiler, ['-shared', ...linking, '-o', out, ...units.map(object)])))
      return out;
  }
  return undefined;
}

/** @returns whether it ended well */
function run(command, words) {
  return new Promise((resolve) => {
    const child = spawn(command, words, { stdio: 'ignore' });
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === 0));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
