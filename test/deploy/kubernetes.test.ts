/** deploy/kubernetes/ as kubectl renders it, against the official schemas. There is no cluster here to apply it to. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { packageRoot } from '../../src/core/paths.js';
import { documented } from './documented.js';
import { goldenFile, manifestsOf, overlays, podOf, type Manifest } from './manifests.js';
import { missingTools, needs } from './needs.js';

/** An old one that is still in use, and the newest that `kubernetes-validate` knows. */
const versions = ['1.31', '1.37'];

/** Reads a PodMonitor and writes what the operator would keep of it. */
const asOperator = `import sys
from cloudcoil.models.prometheus_operator.v1 import PodMonitor
print(PodMonitor.model_validate_json(sys.stdin.read()).model_dump_json(by_alias=True, exclude_none=True))`;

describe(
  'Kubernetes',
  needs(missingTools({ kubectl: 'Debian: kubernetes-client', 'kubernetes-validate': 'PyPI' })),
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'lockstep-kubernetes-'));
    after(() => rmSync(folder, { recursive: true }));
    const run = (program: string, words: readonly string[], input?: string) =>
      spawnSync(program, words, { cwd: packageRoot, encoding: 'utf8', input });
    const validate = (version: string, ...files: string[]) =>
      run('kubernetes-validate', ['--strict', '--kubernetes-version', version, ...files]);

    for (const overlay of overlays) {
      test(`the ${overlay} overlay renders to what the rules were checked on`, () => {
        const { status, stdout, stderr } = run('kubectl', ['kustomize', `deploy/kubernetes/overlays/${overlay}`]);
        assert.equal(status, 0, stderr);
        if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(goldenFile(overlay), stdout);
        assert.equal(stdout, readFileSync(goldenFile(overlay), 'utf8'), 'UPDATE_GOLDEN=1 writes it anew');
      });
    }

    for (const version of versions)
      test(`all overlays are valid for Kubernetes ${version}`, () => {
        const { status, stdout, stderr } = validate(version, ...overlays.map(goldenFile));
        assert.equal(status, 0, stdout + stderr);
        const unknown = [...stdout.matchAll(/find schema for kind (\w+)/g)].map(([, kind]) => kind);
        assert.deepEqual(unknown, ['PodMonitor'], 'which is not of Kubernetes: see below');
      });

    const isThere = "import importlib.util, sys; sys.exit(importlib.util.find_spec('cloudcoil.models') is None)";
    const schema =
      run('python3', ['-c', isThere]).status === 0
        ? undefined
        : 'cloudcoil-models-prometheus-operator (PyPI) not installed';
    test("the PodMonitor is what the operator's schema knows", needs(schema), () => {
      const validated = (manifest: object) => run('python3', ['-c', asOperator], JSON.stringify(manifest));
      const monitor = manifestsOf('monitored').find(({ kind }) => kind === 'PodMonitor')!;
      const { stdout, stderr } = validated(monitor);
      assert.deepEqual((JSON.parse(stdout || '{}') as Manifest).spec, monitor.spec, `no key is lost ${stderr}`);
      const wrong = { ...monitor, spec: { ...monitor.spec, podMetricsEndpoints: [{ interval: 'often' }] } };
      assert.match(validated(wrong).stderr, /podMetricsEndpoints.0.interval/);
    });

    test('the Secrets of the page hold what the programs look for', () => {
      for (const command of documented('kubernetes.md', 'certs')) {
        const [, ...words] = command.split(' ');
        const made = spawnSync(process.execPath, [join(packageRoot, 'bin', 'lockstep.js'), ...words], { cwd: folder });
        assert.equal(made.status, 0, String(made.stderr));
      }
      const mounted = manifestsOf('standby').flatMap((m) => podOf(m)?.volumes ?? []);
      for (const command of documented('kubernetes.md', 'secrets')) {
        const [program = '', ...words] = command.split(' ');
        const flags = ['--dry-run=client', '--output', 'json'];
        const made = spawnSync(program, [...words, ...flags], { cwd: folder, encoding: 'utf8' });
        assert.equal(made.status, 0, made.stderr);
        const secret = JSON.parse(made.stdout) as { metadata: { name: string }; data: Record<string, string> };
        for (const file of ['ca.pem', 'cert.pem', 'key.pem']) assert.ok(secret.data[file], file);
        assert.ok(mounted.some((volume) => volume.secret?.secretName === secret.metadata.name));
      }
    });

    test('a manifest that is wrong is found', () => {
      const right = readFileSync(goldenFile('trial'), 'utf8');
      const wrong = join(folder, 'wrong.yaml');
      for (const [from, to] of [
        ['replicas: 2', 'replicas: two'],
        ['replicas: 2', 'replicaz: 2'],
      ] as const) {
        assert.ok(right.includes(from));
        writeFileSync(wrong, right.replace(from, to));
        assert.notEqual(validate(versions[0]!, wrong).status, 0, to);
      }
    });
  },
);
