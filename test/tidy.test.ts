/** House rules as tests, and tests of the rules themselves: each must complain about something that breaks it. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { packageRoot } from '../src/core/paths.js';
import { commandComplaints, scriptComplaints } from './tidy/commands.js';
import { machineComplaints, mathsComplaints } from './tidy/determinism.js';
import { only, projectFiles, type Files } from './tidy/files.js';
import {
  cycleComplaints,
  deadFileComplaints,
  dependencyComplaints,
  layerComplaints,
  missingImportComplaints,
} from './tidy/layers.js';
import { lengthComplaints, placeComplaints, unfinishedComplaints } from './tidy/text.js';

const files = projectFiles(packageRoot);
const sources = only(files, /^src\/.*\.ts$/);
const written = only(files, /^(?!(.*\/)?package-lock\.json$)/);

/** Files that may ask the machine for time or chance, each with the reason. */
const machineExceptions = new Map([
  ['src/core/clock.ts', 'it is the clock'],
  ['src/core/atomic-file.ts', 'a temporary name that no other process takes; it reaches no result'],
  ['src/security/secrets.ts', 'keys and tokens: nobody may guess them, and none reaches a result'],
]);

const none: string[] = [];
const made = (entries: Record<string, string>): Files => new Map(Object.entries(entries));

describe('the project', () => {
  test('was found', () => assert.ok(sources.size > 20, `only ${sources.size} sources under ${packageRoot}`));
  test('imports go one way', () => assert.deepEqual(layerComplaints(sources), none));
  test('imports mean files that exist', () => assert.deepEqual(missingImportComplaints(sources), none));
  test('no import cycles', () => assert.deepEqual(cycleComplaints(sources), none));
  test('no dead files', () =>
    assert.deepEqual(deadFileComplaints(only(files, /^(src|scripts|bin|bench|test)\//)), none));
  test('dependencies are declared and used', () => {
    const manifest = JSON.parse(files.get('package.json') ?? '{}') as Parameters<typeof dependencyComplaints>[1];
    assert.deepEqual(dependencyComplaints(files, manifest), none);
  });
  test('only exact maths reaches a weight', () => assert.deepEqual(mathsComplaints(sources), none));
  test('only programs ask for time and chance', () =>
    assert.deepEqual(machineComplaints(sources, new Set(machineExceptions.keys())), none));
  test('exceptions are still needed', () => {
    for (const path of machineExceptions.keys())
      assert.notDeepEqual(machineComplaints(only(sources, new RegExp(`^${path}$`)), new Set()), none, path);
  });
  test('files are short', () => assert.deepEqual(lengthComplaints(files), none));
  test('nothing is left unfinished', () => assert.deepEqual(unfinishedComplaints(written), none));
  test('no path of a machine, no host of a registry', () => assert.deepEqual(placeComplaints(written), none));
  test('documents show commands that exist', () => assert.deepEqual(commandComplaints(only(files, /\.md$/)), none));
  test('documents and checks run scripts that exist', () => {
    const { scripts } = JSON.parse(files.get('package.json') ?? '{}') as { scripts: Record<string, string> };
    assert.deepEqual(scriptComplaints(only(files, /\.md$|^\.ci\/run$/), Object.keys(scripts)), none);
  });
});

describe('the rules', () => {
  test('an import against the direction', () => {
    const complaints = layerComplaints(
      made({
        'src/core/a.ts': `import { b } from '../optim/b.js';\nimport { z } from 'zod';`,
        'src/optim/b.ts': `import type { c } from '../data/c.js';`,
        'src/worker/d.ts': `export * from '../coordinator/e.js';\nawait import('../cli/main.js');`,
        'src/transport/f.ts': `import '@tensorflow/tfjs-core';\nimport '@grpc/grpc-js';`,
        'src/attic/g.ts': `import '../core/a.js';`,
        'src/engine/h.ts': `import '../optim/b.js';\nimport '../data/c.js';\nimport '../../test/i.js';`,
      }),
    );
    assert.deepEqual(
      complaints.map((line) =>
        line.replace(/[,:].*? (may not import|belongs|is no room|imports nothing|which is outside).*/, ' $1'),
      ),
      [
        'src/core/a.ts imports src/optim/b.ts may not import',
        'src/core/a.ts imports zod imports nothing',
        'src/optim/b.ts imports src/data/c.ts may not import',
        'src/worker/d.ts imports src/coordinator/e.ts may not import',
        'src/worker/d.ts imports src/cli/main.ts may not import',
        'src/transport/f.ts imports @tensorflow/tfjs-core belongs',
        'src/attic/g.ts is no room',
        'src/engine/h.ts imports test/i.ts which is outside',
      ],
    );
  });

  test('a cycle, unless it is of types or through a thread', () => {
    const ring = { 'src/a.ts': `import { b } from './b.js'`, 'src/b.ts': `import c, { type d } from './c.js'` };
    assert.deepEqual(cycleComplaints(made({ ...ring, 'src/c.ts': `export * from './a.js'` })), [
      'import cycle: src/a.ts -> src/b.ts -> src/c.ts -> src/a.ts',
    ]);
    for (const harmless of [
      `import type { A } from './a.js'`,
      `import { type A, type B } from './a.js'`,
      `export type { A } from './a.js'`,
      `new URL('./a.js', import.meta.url)`,
      `await import('./a.js')`,
      '',
    ])
      assert.deepEqual(cycleComplaints(made({ ...ring, 'src/c.ts': harmless })), none, harmless);
  });

  test('a file that nobody reaches, and an import of nothing', () => {
    const tree = made({
      'src/index.ts': `import './core/used.js';`,
      'src/core/used.ts': `new Worker(new URL('./thread.js', import.meta.url));`,
      'src/core/thread.ts': '',
      'src/core/faults.ts': '',
      'src/core/dead.ts': `import './used.js';`,
      'src/metrics/page.ts': '',
      'src/transport/memory/twin.ts': '',
      'src/transport/memory/unused.ts': '',
      'scripts/docs.mjs': `await import('../dist/src/metrics/page.js');`,
      'test/a.test.ts': `import '../src/transport/memory/twin.js';\nimport '../src/core/dead.js';`,
    });
    assert.deepEqual(deadFileComplaints(tree), [
      'src/core/dead.ts is reached by no program',
      'src/transport/memory/unused.ts is reached by no program',
    ]);
    assert.deepEqual(missingImportComplaints(made({ 'src/a.ts': `import './gone.js'` })), [
      'src/a.ts imports src/gone.ts, which does not exist',
    ]);
  });

  test('a dependency that is missing, and one that is not used', () => {
    const tree = made({ 'src/a.ts': `import 'zod/v4';\nimport '@grpc/grpc-js';` });
    assert.deepEqual(dependencyComplaints(tree, { dependencies: { zod: '4', pino: '9' } }), [
      'src/a.ts imports @grpc/grpc-js, which is no dependency',
      'package.json: dependency pino is used nowhere',
    ]);
  });

  test('maths that differs, where it reaches a weight', () => {
    const bad = `const a = Math.pow(x, 2) + Math.exp(x) + x ** 2; // Math.log\nlet b = 1; b **= 3;\nMath.sqrt(2);`;
    assert.equal(mathsComplaints(made({ 'src/optim/a.ts': bad })).length, 4);
    assert.deepEqual(
      mathsComplaints(made({ 'src/cli/a.ts': bad, 'src/optim/b.ts': 'Math.sqrt(Math.max(1, 2))' })),
      none,
    );
  });

  test('time and chance below the programs', () => {
    const bad = `Date.now(); Math.random(); setTimeout(f, 1); new Date(); performance.now(); randomUUID(); // Date.now()\nnew Date(0);`;
    assert.equal(machineComplaints(made({ 'src/cluster/a.ts': bad }), new Set()).length, 6);
    assert.deepEqual(
      machineComplaints(made({ 'src/cluster/a.ts': bad, 'src/launch/b.ts': bad }), new Set(['src/cluster/a.ts'])),
      none,
    );
  });

  test('long files, unfinished ones, places', () => {
    assert.equal(lengthComplaints(made({ 'src/a.ts': 'x\n'.repeat(401), 'src/b.ts': 'x\n'.repeat(400) })).length, 1);
    assert.equal(unfinishedComplaints(made({ 'src/a.ts': `// ${'TO'}DO: later\n// todo lists are fine` })).length, 1);
    const places = made({
      'a.md': `see /${'work'}/main`,
      'b.ts': `'/${'tmp'}/x'`,
      'c.json': `https://${'registry'}.example.org/`,
      'd.ts': `'../${'shared'}/golden'`,
      'e.ts': `'/metrics' and https://example.org/home/x`,
    });
    assert.deepEqual(
      placeComplaints(places).map((line) => line.split(':')[0]),
      ['a.md', 'b.ts', 'd.ts', 'c.json'],
    );
  });

  test('a script that does not exist', () => {
    const tree = made({
      'a.md': '`npm run lint` and `npm run lnt`',
      '.ci/run': 'npm run --silent tset -- --check\nnpm test',
    });
    assert.deepEqual(scriptComplaints(tree, ['lint', 'test']), [
      'a.md: package.json has no script lnt',
      '.ci/run: package.json has no script tset',
    ]);
  });

  test('a flag or a command that does not exist', () => {
    const text =
      'Try `lockstep train --workerz 3` or\n```\nnpm start -- --steps 5 \\\n  --nope\nlockstep worker --coordinator a:1 --steps 3\nlockstep dance\n```\nnot `npm ci --x`.';
    assert.deepEqual(commandComplaints(made({ 'README.md': text })).sort(), [
      'README.md: lockstep has no command dance',
      'README.md: lockstep train has no flag --nope',
      'README.md: lockstep train has no flag --workerz',
      'README.md: lockstep worker has no flag --steps',
    ]);
  });
});
