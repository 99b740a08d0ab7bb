/** What `npm pack` would put into the package. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
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

const shipped =
  /^(bin\/lockstep\.js|dist\/src\/.*\.(js|d\.ts)|prebuilt\/[\w-]+\/kernels\.node|proto\/\w+\.proto|src\/engine\/kernels\/kernels\.wasm|web\/(page|sweep)\.html|deploy\/(prometheus|grafana)\/[\w/]+\.(yml|json)|package\.json|LICENSE|NOTICE|README\.md|CHANGELOG\.md)$/;

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

  test('holds what `lockstep monitor` starts Prometheus and Grafana with', () => {
    for (const folder of ['prometheus', 'grafana/provisioning/datasources', 'grafana/provisioning/dashboards'])
      assert.ok(
        [...paths].some((path) => path.startsWith(`deploy/${folder}/`)),
        folder,
      );
    const dashboards = readdirSync(join(packageRoot, 'deploy/grafana')).filter((name) => name.endsWith('.json'));
    for (const name of dashboards) assert.ok(paths.has(`deploy/grafana/${name}`), name);
  });

  test('holds nothing else: no tests, no sources, no maps of them, no programs of development', () => {
    assert.deepEqual(
      [...paths].filter((path) => !shipped.test(path)),
      [],
    );
  });

  test('exports files that it has', () => {
    const { exports } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
      exports: Record<string, string | Record<string, string>>;
    };
    const targets = Object.values(exports).flatMap((target) =>
      typeof target === 'string' ? target : Object.values(target),
    );
    for (const target of targets) assert.ok(paths.has(target.replace('./', '')), target);
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
