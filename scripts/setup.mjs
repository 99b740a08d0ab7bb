/**
 * Brings a clone into a state in which it can run: Node new enough, dependencies installed, sources compiled.
 *
 * Uses only what comes with Node, as it runs before anything is installed, and no shell, so that it works on every
 * system and with `ignore-scripts=true`. Says something only when there is something to do, and on stderr: stdout
 * belongs to the program that follows.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative } from './native.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);
const say = (line) => process.stderr.write(`${line}\n`);

/** Ends the process with one clear line if something cannot be set up. */
export function setUp() {
  checkNode();
  if (!dependenciesInstalled()) install();
  const sources = sourceDigest();
  if (builtDigest() !== sources) build(sources);
  buildNative();
}

function fail(message, remedy) {
  say(`error: ${message}\nremedy: ${remedy}`);
  process.exit(1);
}

function checkNode() {
  const needed = readJson('package.json').engines.node.replace('>=', '');
  if (!isAtLeast(process.versions.node, needed)) {
    fail(
      `lockstep needs Node.js ${needed} or newer, this is ${process.versions.node}`,
      'install a newer Node.js from nodejs.org',
    );
  }
}

/** Compares dotted version numbers. */
export function isAtLeast(version, needed) {
  const [have, want] = [version, needed].map((text) => text.split('.').map(Number));
  for (let i = 0; i < want.length; i++) {
    if ((have[i] ?? 0) !== want[i]) return (have[i] ?? 0) > want[i];
  }
  return true;
}

function dependenciesInstalled() {
  return existsSync(at('node_modules', '.package-lock.json')) && existsSync(at('package-lock.json'))
    ? lockSatisfied(readJson('package-lock.json'), readJson(join('node_modules', '.package-lock.json')))
    : false;
}

/**
 * Whether the folder holds what the lock file names. By content, not by time: a checkout gives files new times. npm keeps
 * the second file in step with node_modules. Optional packages may be missing, as they are on other systems.
 */
export function lockSatisfied(lock, installed) {
  return Object.entries(lock.packages).every(
    ([path, wanted]) =>
      path === '' ||
      wanted.optional ||
      wanted.devOptional ||
      wanted.link ||
      installed.packages[path]?.version === wanted.version,
  );
}

function install() {
  say('Installing dependencies (first run)...');
  const locked = existsSync(at('package-lock.json'));
  // Dependencies for development too, whatever NODE_ENV says: the compiler is one of them.
  const words = [
    locked ? 'ci' : 'install',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--loglevel=error',
  ];
  const { error, status } = npm(words);
  if (error ?? status !== 0) {
    fail(
      `npm ${words[0]} failed${error ? `: ${error.message}` : ` (exit ${status}); npm's own words are above`}`,
      'check the network and the free disk space, then run the command again',
    );
  }
}

/** Runs the npm that started us, or the one that came with this Node, or the one on the path. */
function npm(words) {
  const options = { cwd: root, stdio: ['ignore', 'ignore', 2] };
  const script = npmScript(process.env.npm_execpath, process.execPath, existsSync);
  if (script) return spawnSync(process.execPath, [script, ...words], options);
  return spawnSync('npm', words, { ...options, shell: process.platform === 'win32' });
}

/** npm's own script; `npm_execpath` may belong to npx, yarn or pnpm. */
export function npmScript(execPath, node, exists) {
  const besideNode = ['../lib/node_modules/npm/bin', 'node_modules/npm/bin'].map((folder) =>
    join(dirname(node), folder),
  );
  const folders = [
    ...(execPath && /^np[mx]-cli\.c?js$/.test(basename(execPath)) ? [dirname(execPath)] : []),
    ...besideNode,
  ];
  return folders.map((folder) => join(folder, 'npm-cli.js')).find(exists);
}

const stamp = join('dist', '.sources');

function builtDigest() {
  return existsSync(at(stamp)) ? readFileSync(at(stamp), 'utf8') : '';
}

/** Of everything that the build reads: about 20 ms, and right where times lie (checkouts, copies, clocks). */
function sourceDigest() {
  const hash = createHash('sha256');
  const sources = ['src', 'test', 'bench']
    .flatMap((folder) => filesUnder(at(folder)))
    .filter((file) => file.endsWith('.ts'));
  const compiler = at('node_modules', 'typescript', 'package.json');
  for (const file of [at('tsconfig.json'), compiler, ...sources.sort()]) {
    hash.update(relative(root, file).split(sep).join('/')).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

function build(sources) {
  say(existsSync(at('dist')) ? 'Building...' : 'Building (first run)...');
  rmSync(at(stamp), { force: true });
  const { status } = spawnSync(process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', root], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0)
    fail("the sources do not compile; the compiler's own words are above", 'correct them, or go back with git');
  removeOrphans();
  writeFileSync(at(stamp), sources);
}

/** Deletes what was compiled from sources that are gone: a test that was removed must not run on. */
function removeOrphans() {
  for (const file of filesUnder(at('dist'))) {
    const source = /^(.*)\.(?:d\.ts|js|js\.map)$/.exec(relative(at('dist'), file))?.[1];
    if (source !== undefined && !existsSync(at(`${source}.ts`))) rmSync(file);
  }
}

/** All files in a folder and its folders; none if it does not exist. */
export function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

function readJson(path) {
  return JSON.parse(readFileSync(at(path), 'utf8'));
}
