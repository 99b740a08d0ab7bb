import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../../src/core/paths.js';

interface Lock {
  readonly packages: Readonly<
    Record<string, { version?: string; optional?: boolean; devOptional?: boolean; link?: boolean }>
  >;
}

interface Setup {
  isAtLeast: (version: string, needed: string) => boolean;
  lockSatisfied: (lock: Lock, installed: Lock) => boolean;
  npmScript: (execPath: string | undefined, node: string, exists: (path: string) => boolean) => string | undefined;
}

interface Selection {
  selectFiles: (files: readonly string[], suites: readonly string[], words: readonly string[]) => string[];
  readArguments: (argv: readonly string[]) => { chosen: string[]; words: string[]; flags: string[] };
}

// The set-up programs are plain JavaScript, as they run before there is a compiler.
const program = async <T>(name: string) => (await import(pathToFileURL(join(packageRoot, 'scripts', name)).href)) as T;

describe('setup.mjs', () => {
  test('versions of Node', async () => {
    const { isAtLeast } = await program<Setup>('setup.mjs');
    for (const [version, needed, enough] of [
      ['20.19.0', '20.19', true],
      ['20.20.2', '20.19', true],
      ['22.0.0', '20.19', true],
      ['20.9.0', '20.19', false],
      ['18.20.0', '20.19', false],
      ['100.0.0', '20.19', true],
    ] as const)
      assert.equal(isAtLeast(version, needed), enough, `${version} for ${needed}`);
  });

  test('whether what is installed is what the lock file names', async () => {
    const { lockSatisfied } = await program<Setup>('setup.mjs');
    const lock = (zod: string, extra: Lock['packages'] = {}): Lock => ({
      packages: { 'node_modules/zod': { version: zod }, ...extra },
    });
    const root = { '': { version: '9' } };
    assert.ok(lockSatisfied(lock('4.0.0', root), lock('4.0.0')));
    assert.ok(lockSatisfied(lock('4.0.0'), lock('4.0.0', { 'node_modules/more': { version: '1' } })));
    assert.ok(
      lockSatisfied(lock('4.0.0', { 'node_modules/fsevents': { version: '2', optional: true } }), lock('4.0.0')),
    );
    assert.ok(!lockSatisfied(lock('4.0.1'), lock('4.0.0')), 'another version');
    assert.ok(!lockSatisfied(lock('4.0.0', { 'node_modules/new': { version: '1' } }), lock('4.0.0')), 'a package more');
  });

  test('which npm', async () => {
    const { npmScript } = await program<Setup>('setup.mjs');
    const node = join('/opt', 'node', 'bin', 'node');
    const beside = join('/opt', 'node', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
    const ours = join('/usr', 'npm', 'bin', 'npm-cli.js');
    const everywhere = () => true;
    assert.equal(npmScript(ours, node, everywhere), ours);
    assert.equal(npmScript(join('/usr', 'npm', 'bin', 'npx-cli.js'), node, everywhere), ours, 'npx has npm beside it');
    assert.equal(npmScript(join('/usr', 'pnpm', 'pnpm.cjs'), node, everywhere), beside, 'another package manager');
    assert.equal(
      npmScript(undefined, node, (path) => path === beside),
      beside,
    );
    assert.equal(
      npmScript(undefined, node, () => false),
      undefined,
    );
  });
});

describe('test.mjs', () => {
  const files = ['tidy.test.js', 'unit/config/load.test.js', 'unit/metrics/exporter.test.js', 'e2e/digest.test.js'];

  test('chooses by suite and by word', async () => {
    const { selectFiles } = await program<Selection>('select-tests.mjs');
    assert.deepEqual(selectFiles(files, [], []), files);
    assert.deepEqual(selectFiles(files, ['tidy', 'e2e'], []), ['tidy.test.js', 'e2e/digest.test.js']);
    assert.deepEqual(selectFiles(files, ['unit'], ['config']), ['unit/config/load.test.js']);
    assert.deepEqual(selectFiles(files, [], ['tidy', 'digest']), ['tidy.test.js', 'e2e/digest.test.js']);
    assert.deepEqual(selectFiles(files, ['contract'], []), []);
    const heavy = 'deploy/slurm.test.js';
    assert.deepEqual(selectFiles([...files, heavy], [], []), files, 'what few machines can run is run on request');
    assert.deepEqual(selectFiles([...files, heavy], ['deploy'], []), [heavy]);
  });

  test('leaves flags to the runner', async () => {
    const { readArguments } = await program<Selection>('select-tests.mjs');
    assert.deepEqual(
      readArguments(['--suite', 'unit,e2e', '--suite=sim', '--test-only', 'config', '--test-name-pattern=x']),
      {
        chosen: ['unit', 'e2e', 'sim'],
        words: ['config'],
        flags: ['--test-only', '--test-name-pattern=x'],
      },
    );
  });
});
