/** `npm run release`: each rule complains about what breaks it. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';
import { packageRoot } from '../../../src/core/paths.js';

interface Checkout {
  manifest: { version: string; repository?: { url: string } };
  lock: { version: string; packages: Record<string, { version: string }> };
  changelog: string;
  status: string;
  tags: string[];
}
interface Sbom {
  metadata: { component: { name: string; version?: string } };
  components: { name: string; version: string; 'bom-ref'?: string; properties?: { name: string; value: string }[] }[];
  dependencies?: { ref: string; dependsOn?: string[] }[];
}
const { checkedSbom, releaseComplaints } = (await import(
  pathToFileURL(join(packageRoot, 'scripts', 'release-checks.mjs')).href
)) as {
  releaseComplaints: (checkout: Checkout) => string[];
  checkedSbom: (sbom: Sbom, manifest: { name: string; version: string; dependencies: object }) => Sbom;
};

const good: Checkout = {
  manifest: { version: '1.2.3', repository: { url: 'git+https://example.org/lockstep.git' } },
  lock: { version: '1.2.3', packages: { '': { version: '1.2.3' } } },
  changelog: '# Changelog\n\n## 1.2.3, 2027-01-31\n\n- x\n\n## 1.2.2, 2027-01-01\n',
  status: '',
  tags: ['v1.2.2'],
};

test('a checkout with which all is well', () => assert.deepEqual(releaseComplaints(good), []));

test('each thing that is wrong is one complaint', () => {
  const complaint = (change: Partial<Checkout>): string => {
    const complaints = releaseComplaints({ ...good, ...change });
    assert.equal(complaints.length, 1, complaints.join('\n'));
    return complaints[0]!;
  };
  assert.match(complaint({ lock: { version: '1.2.2', packages: { '': { version: '1.2.2' } } } }), /package-lock.json/);
  assert.match(complaint({ changelog: '## 1.2.4, 2027-01-31\n' }), /begins with 1\.2\.4/);
  assert.match(complaint({ changelog: '## 1.2.3, not released yet\n' }), /"not released yet" behind 1\.2\.3/);
  assert.match(complaint({ manifest: { version: '1.2.3' } }), /names no repository/);
  assert.match(complaint({ status: ' M src/index.ts\n' }), /has changes: M src\/index\.ts/);
  assert.match(complaint({ tags: ['v1.2.3'] }), /v1\.2\.3 exists/);
});

test('the changelog of this checkout has the version of its package on top', () => {
  const text = (name: string): string => readFileSync(join(packageRoot, name), 'utf8');
  const manifest = JSON.parse(text('package.json')) as Checkout['manifest'];
  const lock = JSON.parse(text('package-lock.json')) as Checkout['lock'];
  const complaints = releaseComplaints({ ...good, manifest, lock, changelog: text('CHANGELOG.md') });
  const untilRelease = /names no repository|not released yet/;
  assert.deepEqual(
    complaints.filter((line) => !untilRelease.test(line)),
    [],
  );
});

test('an SBOM is of the package, whatever its folder is called, and has every dependency', () => {
  const manifest = { name: 'lockstep', version: '1.2.3', dependencies: { zod: '4.6.7' } };
  const sbom: Sbom = { metadata: { component: { name: 'a-folder' } }, components: [{ name: 'zod', version: '4.6.7' }] };
  assert.deepEqual(checkedSbom(sbom, manifest).metadata.component, { name: 'lockstep', version: '1.2.3' });
  const tool = {
    name: 'eslint',
    version: '10.15.0',
    'bom-ref': 'eslint',
    properties: [{ name: 'cdx:npm:package:development', value: 'true' }],
  };
  const zod = { ...sbom.components[0]!, 'bom-ref': 'zod' };
  const all: Sbom = {
    ...sbom,
    components: [tool, zod],
    dependencies: [
      { ref: 'eslint', dependsOn: ['zod'] },
      { ref: 'zod', dependsOn: ['eslint'] },
    ],
  };
  assert.deepEqual(checkedSbom(all, manifest).components, [zod]);
  assert.deepEqual(checkedSbom(all, manifest).dependencies, [{ ref: 'zod', dependsOn: [] }]);
  assert.throws(() => checkedSbom({ ...sbom, components: [] }, manifest), /lacks zod@4\.6\.7/);
});
