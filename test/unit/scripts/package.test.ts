/** What `npm pack` would put into the package. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { packageRoot } from '../../../src/core/paths.js';

interface Packed {
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** What prepack makes is tested as it lies there. */
const words = ['pack', '--dry-run', '--json', '--ignore-scripts'];
const { stdout, status } = spawnSync('npm', words, {
  cwd: packageRoot,
  encoding: 'utf8',
  shell: process.platform === 'win32',
});
const [packed] = (status === 0 ? JSON.parse(stdout) : []) as Packed[];
const paths = new Set(packed?.files.map(({ path }) => path));

const systems = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64', 'win32-arm64'];
const prebuilt = systems.map((system) => `prebuilt/${system}/kernels.node`);
const withoutPrebuilt = existsSync(join(packageRoot, 'prebuilt/.sources'))
  ? false
  : 'SKIPPED: no prebuilt addons, npm run prebuilt makes them';

describe('the package', () => {
  test('holds what runs, and the kernels', () => {
    for (const path of ['bin/lockstep.js', 'dist/src/index.js', 'src/engine/kernels/kernels.wasm', 'LICENSE', 'NOTICE'])
      assert.ok(paths.has(path), path);
  });

  test('holds no tests, and nothing of this machine', () => {
    const foreign = [...paths].filter((path) => /^(dist\/(?!src\/)|test\/|bench\/|runs\/|\.)|node_modules/.test(path));
    assert.deepEqual(foreign, []);
  });

  test('runs nothing when it is installed', () => {
    const { scripts } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { scripts: object };
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare', 'prebuild'])
      assert.ok(!(name in scripts), name);
    assert.ok(!paths.has('binding.gyp'), 'npm compiles what has a binding.gyp');
  });

  test('holds the native kernels of every system, in less than 10 MB', { skip: withoutPrebuilt }, () => {
    for (const path of prebuilt) assert.ok(paths.has(path), path);
    assert.ok(packed!.size < 10e6, `${packed!.size} bytes`);
  });
});
