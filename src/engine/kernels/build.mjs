/**
 * Compiles the kernels to kernels.wasm, with clang and lld 14 (Debian 12: `apt-get install clang lld`).
 *
 *     node src/engine/kernels/build.mjs            writes kernels.wasm
 *     node src/engine/kernels/build.mjs --check    fails if kernels.wasm is not what these sources give
 *     node src/engine/kernels/build.mjs --out FILE
 *
 * Same sources, same compiler, same bytes: the module is kept in the repository, so that nobody needs a compiler.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** Each one idea; the order is the order of linking. */
export const sources = [
  'program.c',
  'layout.c',
  'convolution.c',
  'convolution-backward.c',
  'convolution-weights.c',
  'depthwise.c',
  'dense.c',
  'pooling.c',
  'activation.c',
  'softmax.c',
  'batch-normalisation.c',
  'layer-normalisation.c',
  'elements.c',
  'embedding.c',
  'loss.c',
  'update-loops.c',
  'codecs.c',
].map((name) => join(here, name));

/** For every target: no multiplication may be fused with an addition, nothing may be reordered. */
export const commonFlags = [
  '-std=c11',
  '-O3',
  '-ffp-contract=off',
  '-fno-strict-aliasing',
  '-fno-math-errno', // a square root is one instruction, exactly rounded
  '-Wall',
  '-Wextra',
  '-Werror',
];

/** Data from 1024 on, then the stack: both below the 1 MiB that the arena leaves to the module. */
const wasmFlags = [
  '--target=wasm32-unknown-unknown',
  '-DLANES=4',
  '-msimd128',
  '-matomics',
  '-mbulk-memory',
  '-mmutable-globals', // for __stack_pointer: every thread gives its instance a stack of its own
  '-mllvm',
  '-disable-lsr', // it makes pointers of what a load adds by itself: its constant offset
  '-nostdlib',
  '-ffreestanding',
  '-fvisibility=hidden',
  '-Wl,--no-entry',
  '-Wl,--import-memory',
  '-Wl,--shared-memory',
  '-Wl,--max-memory=4294967296',
  '-Wl,--export-dynamic',
  '-Wl,--export=__stack_pointer',
  '-Wl,-z,stack-size=65536',
  '-Wl,--strip-all',
];

/** @param {string} out - file to write */
export function buildWasm(out, clang = 'clang') {
  execFileSync(clang, [...commonFlags, ...wasmFlags, '-o', out, ...sources], { stdio: 'inherit', cwd: here });
}

function main() {
  const kept = join(here, 'kernels.wasm');
  const [mode, file] = process.argv.slice(2);
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-kernels-'));
  try {
    const built = join(folder, 'kernels.wasm');
    buildWasm(built);
    const bytes = readFileSync(built);
    if (mode !== '--check') writeFileSync(mode === '--out' && file ? file : kept, bytes);
    else if (!bytes.equals(readFileSync(kept)))
      throw new Error('kernels.wasm is not what the sources give: run build.mjs');
    console.log(`kernels.wasm: ${bytes.length} bytes`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
