/**
 * Compiles the kernels to dist/native/kernels.node, a Node-API addon, where a C compiler is at hand.
 *
 * Quiet, and no failure is an error: without the addon the same kernels run as WebAssembly, with the same bits, at about
 * half the speed. It needs neither node-gyp nor Node's headers.
 */

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prebuiltFolder, prebuiltStamp, root, sourcesDigest, unitsFor } from './native-sources.mjs';

const folder = join(root, 'dist', 'native');
const addon = join(folder, 'kernels.node');
const stamp = join(folder, '.sources');

/** clang first: its code was some percent faster than that of gcc 12. */
const compilers = ['clang', 'gcc', 'cc'];

/** Does nothing when an addon is up to date, or could not be built from these sources with these compilers before. */
export function buildNative() {
  const units = process.platform === 'win32' ? [] : unitsFor(process.platform, process.arch);
  if (!hasPrebuilt() && units.length > 0 && !isUpToDate())
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

/** Whether there is one for this machine. Those of other sources are removed: they do not know our programs. */
function hasPrebuilt() {
  if (!existsSync(prebuiltFolder)) return false;
  if (!existsSync(prebuiltStamp) || readFileSync(prebuiltStamp, 'utf8') !== sourcesDigest())
    rmSync(prebuiltFolder, { recursive: true });
  return existsSync(join(prebuiltFolder, `${process.platform}-${process.arch}`, 'kernels.node'));
}

/** Of everything that the addon is made of, and of the list of compilers that were found. */
function digest() {
  const { platform, arch } = process;
  const found = JSON.stringify([platform, arch, compilers.filter(onPath)]);
  return createHash('sha256').update(found).update(sourcesDigest()).digest('hex');
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
      units.map((unit) => run(compiler, [...unit.flags, '-c', unit.source, '-o', object(unit)])),
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
