/** The package as a user gets it: packed, and installed into an empty project on a machine with Node.js and nothing else. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packageRoot } from '../../src/core/paths.js';
import { needs } from '../deploy/needs.js';
import { commandsOf, documentedBlock } from '../documented.js';
import { EmptyProject, said } from './empty-project.js';

const prebuilt = existsSync(join(packageRoot, 'prebuilt', '.sources'));
const options = needs(prebuilt ? undefined : 'no native kernels for every system: npm run prebuilt');
const quickStart = 'docs/quick-start.md';

/** A few steps, in the words that the repository's own run gets, too. */
const training = 'train --workers 2 --steps 6 --global-batch 256 --micro-batch 32 --seed 7'.split(' ');
const digestIn = (text: string): string =>
  /^weights\s+sha256 ([0-9a-f]{64})$/m.exec(text)?.[1] ?? `no digest in\n${text}`;

describe('the package, installed in an empty project', options, () => {
  const project = new EmptyProject();
  const installed = join(project.folder, 'node_modules', 'lockstep');
  after(() => project.remove());

  /** Size and time of every file, so that a file that was built, compiled or fetched is seen. */
  const filesOfPackage = (): unknown =>
    readdirSync(installed, { recursive: true, encoding: 'utf8' })
      .sort()
      .map((path) => [path, statSync(join(installed, path)).size, statSync(join(installed, path)).mtimeMs]);
  let atFirst: unknown;

  before(() => {
    const tarball = project.pack();
    assert.ok(statSync(tarball).size < 10e6, `${statSync(tarball).size} bytes`);
    project.run('npm', 'init', '--yes');
    project.run('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball);
    atFirst = filesOfPackage();
  });

  test('has nothing that npm would run or compile', () => {
    const lock = JSON.parse(readFileSync(join(project.folder, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { hasInstallScript?: boolean } | undefined>;
    };
    const entry = lock.packages['node_modules/lockstep'];
    assert.ok(entry);
    assert.equal(entry.hasInstallScript, undefined);
    assert.ok(!existsSync(join(installed, 'binding.gyp')));
  });

  test('trains to the weights of the repository, on native kernels that nobody compiled here', () => {
    const here = project.run('npx', 'lockstep', ...training);
    const repository = said(process.execPath, [join(packageRoot, 'bin', 'lockstep.js'), ...training], project.folder);
    assert.match(here.stdout, /^weights\s+sha256/m);
    assert.equal(digestIn(here.stdout), digestIn(repository.stdout));
    assert.match(project.run('npx', 'lockstep', 'engines').stdout, /^\* native .*, prebuilt /m);
  });

  test('runs the program and the commands of the quick start as they are printed', () => {
    const { text } = documentedBlock(quickStart, 'my-run');
    writeFileSync(join(project.folder, 'my-run.mjs'), text);
    const digests = commandsOf(documentedBlock(quickStart, 'train my-run')).map((command) => {
      const [program = '', ...words] = command.split(' ');
      return digestIn(project.run(program, ...words).stdout);
    });
    assert.equal(digests.length, 2);
    assert.match(digests[0]!, /^[0-9a-f]{64}$/);
    assert.equal(digests[0], digests[1], 'one worker and three');
  });

  test('exports to a program what the repository does', async () => {
    const listing = `import('lockstep').then((all) => console.log(JSON.stringify(Object.keys(all))))`;
    const { stdout } = project.run('node', '--input-type=module', '--eval', listing);
    const own = (await import('../../src/index.js')) as object;
    assert.deepEqual(JSON.parse(stdout), Object.keys(own));
  });

  test('has types that a strict program compiles with, and that refuse a wrong one', () => {
    writeFileSync(join(project.folder, 'program.mts'), program);
    const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    const strict =
      '--noEmit --strict --exactOptionalPropertyTypes --target es2023 --module nodenext --resolveJsonModule'.split(' ');
    said(process.execPath, [compiler, ...strict, '--skipLibCheck', 'program.mts'], project.folder);
    // Without skipLibCheck the compiler looks into declarations, too. TensorFlow.js's own have mistakes; ours have none.
    const { stdout } = spawnSync(process.execPath, [compiler, ...strict, 'program.mts'], {
      cwd: project.folder,
      encoding: 'utf8',
    });
    const complaints = stdout.split('\n').filter((line) => /^(node_modules\/lockstep\/|program\.mts|error)/.test(line));
    assert.deepEqual(complaints, []);
  });

  test('was not built, compiled or changed by any of this', () => assert.deepEqual(filesOfPackage(), atFirst));
});

/** Every line that is expected to be wrong must be: the compiler says so where one is not. */
const program = `
import { defineRun, LockstepError, layoutOf, readSafetensors, type Dataset, type RunDefinition, type RunReport } from 'lockstep';
import manifest from 'lockstep/package.json' with { type: 'json' };

const train: Dataset = {
  length: 8,
  x: { shape: [3], dtype: 'float32' },
  y: { shape: [1], dtype: 'float32' },
  read: (indices) => ({ x: new Float32Array(indices.length * 3), y: new Float32Array(indices.length) }),
};
const run: RunDefinition = defineRun({
  model: ({ tf }) => tf.sequential({ layers: [tf.layers.dense({ inputShape: [3], units: 1 })] }),
  data: { train },
  loss: 'meanSquaredError',
});
export default run;
export const digestOf = (report: RunReport): string => report.weightsDigest;
export const words: readonly unknown[] = [LockstepError, layoutOf, readSafetensors, manifest.version];

// @ts-expect-error a loss has a name or is a function
defineRun({ model: 'mlp', data: { train }, loss: 7 });
// @ts-expect-error a run has data
defineRun({ model: 'mlp', loss: 'meanSquaredError' });
`;
