import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadConfig } from '../../../src/config/index.js';
import { manifestsOf, overlays, podOf, type Manifest } from '../../deploy/manifests.js';
import { podComplaints } from '../../deploy/policy.js';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-manifests-'));
after(() => rmSync(folder, { recursive: true }));

const includesLabels = (labels: Record<string, string> = {}, wanted: Record<string, string> = {}): boolean =>
  Object.entries(wanted).every(([key, value]) => labels[key] === value);

for (const overlay of overlays) {
  describe(`the ${overlay} overlay`, () => {
    const manifests = manifestsOf(overlay);
    const named = (kind: string, name: string): Manifest => {
      const found = manifests.find((m) => m.kind === kind && m.metadata.name === name);
      assert.ok(found, `${kind} ${name}`);
      return found;
    };

    test('every pod keeps to the rules', () => {
      assert.equal(manifests.filter(podOf).length, 2);
      assert.deepEqual(manifests.flatMap(podComplaints), []);
    });

    test('everything lies in one namespace, which allows nothing else', () => {
      const outside = manifests.filter((m) => m.kind !== 'Namespace' && m.metadata.namespace !== 'lockstep');
      assert.deepEqual(outside, []);
      const { labels } = named('Namespace', 'lockstep').metadata;
      assert.equal(labels?.['pod-security.kubernetes.io/enforce'], 'restricted');
    });

    test('selectors find the pods that they mean', () => {
      const worker = named('Deployment', 'lockstep-worker').spec!;
      const labels = worker.template!.metadata.labels;
      assert.ok(includesLabels(labels, worker.selector!.matchLabels));
      assert.ok(includesLabels(labels, named('PodDisruptionBudget', 'lockstep-worker').spec!.selector!.matchLabels));
      const policy = named('NetworkPolicy', 'lockstep').spec!.podSelector!.matchLabels;
      const coordinator = named('Job', 'lockstep-coordinator').spec!.template!.metadata.labels;
      assert.ok(includesLabels(labels, policy) && includesLabels(coordinator, policy));
      const service = named('Service', 'lockstep-coordinator').spec!.selector as unknown as Record<string, string>;
      assert.ok(includesLabels(coordinator, service) && !includesLabels(labels, service));
    });

    test('run.yaml is a configuration', () => {
      const options = manifests.find((m) => m.kind === 'ConfigMap')!.data!['run.yaml']!;
      const file = join(folder, `${overlay}.yaml`);
      writeFileSync(file, options);
      assert.equal(loadConfig('coordinator', { flags: new Map(), environment: {}, file }).config.workers, 2);
    });
  });
}

test('each rule complains about a pod that breaks it', () => {
  const manifest: Manifest = {
    kind: 'Job',
    metadata: { name: 'bad' },
    spec: {
      template: {
        metadata: { labels: {} },
        spec: {
          hostNetwork: true,
          containers: [
            { name: 'a', image: 'lockstep:latest', args: ['worker'], env: [{ name: 'LOCKSTEP_WORKERZ', value: '1' }] },
          ],
        },
      },
    },
  };
  assert.equal(podComplaints(manifest).length, 7 + 8);
});
