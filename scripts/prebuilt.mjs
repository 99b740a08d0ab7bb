/**
 * `npm run prebuilt`: the native addon for all systems, into prebuilt/, which `npm pack` ships.
 *
 * One compiler makes them all, zig, which PyPI has as `ziglang`: it is put into a folder of the user's cache when it is not
 * there yet (python3 with venv, 190 MB). The addons name no library, so that one for Linux serves every C library.
 */

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { prebuiltFolder, prebuiltStamp, sourcesDigest, unitsFor } from './native-sources.mjs';

const zigVersion = '0.17.1';
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'lockstep-tools', `ziglang-${zigVersion}`);

/** By the names that Node has for them. macOS from 11 on, the first for arm64. */
const targets = {
  'linux-x64': { triple: 'x86_64-linux-gnu', link: ['-nostdlib', '-Wl,-s'] },
  'linux-arm64': { triple: 'aarch64-linux-gnu', link: ['-nostdlib', '-Wl,-s'] },
  'darwin-x64': { triple: 'x86_64-macos.11.0', link: ['-Wl,-undefined,dynamic_lookup'] },
  'darwin-arm64': { triple: 'aarch64-macos.11.0', link: ['-Wl,-undefined,dynamic_lookup'] },
  'win32-x64': { triple: 'x86_64-windows-gnu', link: ['-nostdlib', '-lkernel32', '-Wl,-s'] },
  'win32-arm64': { triple: 'aarch64-windows-gnu', link: ['-nostdlib', '-lkernel32', '-Wl,-s'] },
};

/** Python of an environment with ziglang in it. */
const zig = join(cache, 'bin', 'python');
/** Its own caches, apart from the checkout. */
const environment = {
  ...process.env,
  ZIG_GLOBAL_CACHE_DIR: join(cache, 'zig'),
  ZIG_LOCAL_CACHE_DIR: join(cache, 'zig'),
};

async function main() {
  const sources = sourcesDigest();
  if (existsSync(prebuiltStamp) && readFileSync(prebuiltStamp, 'utf8') === sources) return 0;
  if (!installZig()) {
    process.stderr.write(
      `error: ziglang ${zigVersion} cannot be installed to ${cache}; pip's own words are above\n` +
        'remedy: install python3 with its module venv (Debian: apt-get install python3-venv), and look at the network\n',
    );
    return 1;
  }
  rmSync(prebuiltFolder, { recursive: true, force: true });
  const scratch = mkdtempSync(join(tmpdir(), 'lockstep-prebuilt-'));
  try {
    for (const [name, target] of Object.entries(targets)) await build(name, target, scratch);
  } finally {
    rmSync(scratch, { recursive: true });
  }
  writeFileSync(prebuiltStamp, sources);
  return 0;
}

/** @returns whether it is there; a folder that was left half done is made anew */
function installZig() {
  const stdio = ['ignore', 2, 2];
  if (spawnSync(zig, ['-m', 'ziglang', 'version'], { stdio: 'ignore' }).status === 0) return true;
  rmSync(cache, { recursive: true, force: true });
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `ziglang==${zigVersion}`];
  return (
    spawnSync('python3', ['-m', 'venv', cache], { stdio }).status === 0 && spawnSync(zig, pip, { stdio }).status === 0
  );
}

async function build(name, { triple, link }, scratch) {
  const folder = join(prebuiltFolder, name);
  const object = (unit) => join(scratch, `${name}-${unit.name}.o`);
  const units = unitsFor(...name.split('-'));
  await Promise.all(units.map((unit) => compile(triple, [...unit.flags, '-c', unit.source, '-o', object(unit)])));
  mkdirSync(folder, { recursive: true });
  const out = join(folder, 'kernels.node');
  await compile(triple, ['-shared', ...link, '-o', out, ...units.map(object)]);
  console.log(`${out}: ${statSync(out).size} bytes`);
}

/** @throws Error if it does not end well */
function compile(triple, words) {
  return new Promise((resolve, reject) => {
    const child = spawn(zig, ['-m', 'ziglang', 'cc', '-target', triple, ...words], {
      stdio: ['ignore', 2, 2],
      env: environment,
    });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`zig cc -target ${triple} ended with ${code}`)),
    );
  });
}

process.exitCode = await main();
