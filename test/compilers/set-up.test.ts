import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { packageRoot } from '../../src/core/paths.js';

/** A tree with nothing but what the program reads. */
const tree = mkdtempSync(join(tmpdir(), 'lockstep-set-up-'));
after(() => rmSync(tree, { recursive: true }));
mkdirSync(join(tree, 'dist'));
for (const part of ['scripts/native.mjs', 'scripts/native-sources.mjs', 'src/engine/kernels'])
  cpSync(join(packageRoot, part), join(tree, part), { recursive: true });
const addon = join(tree, 'dist/native/kernels.node');
const stamp = join(tree, 'dist/native/.sources');

/** As the set-up does, with these folders as the path. */
function buildNative(path: string) {
  const url = JSON.stringify(new URL('scripts/native.mjs', `file://${tree}/`).href);
  const program = `import(${url}).then(({ buildNative }) => buildNative())`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
    env: { PATH: path },
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

const builds = ['linux', 'darwin'].includes(process.platform) && ['x64', 'arm64'].includes(process.arch);

describe('native.mjs', { skip: builds ? false : 'SKIPPED: it builds on Linux and macOS' }, () => {
  test('without a compiler it is no error, says nothing, and does not try again', () => {
    assert.deepEqual(buildNative('/nowhere'), { status: 0, output: '' });
    assert.equal(existsSync(addon), false);
    const tried = statSync(stamp).mtimeMs;
    buildNative('/nowhere');
    assert.equal(statSync(stamp).mtimeMs, tried);
  });

  const path = process.env['PATH'] ?? '';
  const compiler = ['clang', 'gcc', 'cc'].find((name) => spawnSync(name, ['--version']).status === 0);
  test('a compiler that appears is used once', { skip: compiler ? false : 'SKIPPED: no C compiler' }, () => {
    const before = readFileSync(stamp, 'utf8');
    assert.deepEqual(buildNative(path), { status: 0, output: '' });
    assert.notEqual(readFileSync(stamp, 'utf8'), before);
    const built = statSync(addon).mtimeMs;
    buildNative(path);
    assert.equal(statSync(addon).mtimeMs, built);
  });

  test('a prebuilt addon is taken while the sources are those that it was made from', () => {
    const folder = join(tree, 'prebuilt', `${process.platform}-${process.arch}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'kernels.node'), 'an addon');
    const digest = spawnSync(
      process.execPath,
      ['-e', `import('${tree}/scripts/native-sources.mjs').then((m) => process.stdout.write(m.sourcesDigest()))`],
      { encoding: 'utf8' },
    ).stdout;
    writeFileSync(join(tree, 'prebuilt/.sources'), digest);
    rmSync(stamp, { force: true });
    buildNative(path);
    assert.equal(existsSync(stamp), false, 'nothing is compiled');
    writeFileSync(join(tree, 'prebuilt/.sources'), 'others');
    buildNative('/nowhere');
    assert.equal(existsSync(join(tree, 'prebuilt')), false, 'it is removed');
    assert.equal(existsSync(stamp), true, 'and a compiler looked for');
  });
});
