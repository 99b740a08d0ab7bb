import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadConfig } from '../../../src/config/index.js';
import { packageRoot } from '../../../src/core/paths.js';
import { manifestsOf, overlays, podOf, type Container, type Manifest } from '../../deploy/manifests.js';
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
      assert.equal(manifests.filter(podOf).length, overlay === 'standby' ? 4 : 2);
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
      const [spread] = worker.template!.spec.topologySpreadConstraints!;
      assert.equal(spread!.topologyKey, 'kubernetes.io/hostname');
      assert.ok(includesLabels(labels, spread!.labelSelector.matchLabels));
      const policy = named('NetworkPolicy', 'lockstep').spec!.podSelector!.matchLabels;
      const coordinator = named('Job', 'lockstep-coordinator').spec!.template!.metadata.labels;
      assert.ok(includesLabels(labels, policy) && includesLabels(coordinator, policy));
      const service = named('Service', 'lockstep-coordinator').spec!.selector as unknown as Record<string, string>;
      assert.ok(includesLabels(coordinator, service) && !includesLabels(labels, service));
    });

    test('run.yaml is a configuration', () => {
      const options = manifests.flatMap((m) => m.data?.['run.yaml'] ?? [])[0]!;
      const file = join(folder, `${overlay}.yaml`);
      writeFileSync(file, options);
      assert.equal(loadConfig('coordinator', { flags: new Map(), environment: {}, file }).config.workers, 2);
    });
  });
}

test('with GPUs each worker has one, on nodes that have them, and computes on it', () => {
  const { spec } = manifestsOf('nvidia').find(({ kind }) => kind === 'Deployment')!;
  const { containers, nodeSelector, tolerations } = spec!.template!.spec;
  const [{ image, resources, env }] = containers as [Container];
  assert.equal(resources?.limits?.['nvidia.com/gpu'], 1);
  assert.deepEqual(nodeSelector, { 'nvidia.com/gpu.present': 'true' });
  assert.deepEqual(
    tolerations?.map(({ key }) => key),
    ['nvidia.com/gpu'],
  );
  assert.match(image, /-vulkan$/);
  assert.ok(env!.some(({ name, value }) => name === 'LOCKSTEP_ENGINE' && value === 'webgpu'));
});

test('with a standby every program is in the run of one NATS, has certificates, and is let through', () => {
  const manifests = manifestsOf('standby');
  const policy = manifests.find((m) => m.kind === 'NetworkPolicy')!.spec!.podSelector!.matchLabels;
  const address = new Set<string | undefined>();
  for (const manifest of manifests.filter(podOf)) {
    const { labels } = manifest.spec!.template!.metadata;
    assert.ok(includesLabels(labels, policy), manifest.metadata.name);
    const [{ image, env = [] }] = podOf(manifest)!.containers as [Container];
    if (!image.startsWith('lockstep:')) continue;
    const value = (name: string): string | undefined => env.find((variable) => variable.name === name)?.value;
    address.add(value('LOCKSTEP_NATS'));
    assert.equal(value('LOCKSTEP_RUN'), 'run');
    assert.equal(value('LOCKSTEP_CERTS'), '/etc/lockstep-certs', manifest.metadata.name);
    assert.equal(value('LOCKSTEP_INSECURE'), undefined, manifest.metadata.name);
  }
  assert.deepEqual([...address], ['nats://lockstep-nats:4222']);
  const service = manifests.find((m) => m.kind === 'Service' && m.metadata.name === 'lockstep-nats')!;
  const nats = manifests.find((m) => m.kind === 'StatefulSet')!.spec!.template!.metadata.labels;
  assert.ok(includesLabels(nats, service.spec!.selector as unknown as Record<string, string>));
});

test('where the Prometheus operator is, the dashboards come along', () => {
  const found = manifestsOf('monitored').filter((m) => m.metadata.labels?.['grafana_dashboard'] === '1');
  assert.deepEqual(
    found.flatMap((m) => Object.keys(m.data!)),
    ['cluster.json', 'exchange.json', 'training.json'],
  );
  // What the schemas were checked on is rendered by kubectl, which not everybody has: if it is old, this says so.
  for (const [name, text] of found.flatMap((m) => Object.entries(m.data!)))
    assert.equal(text, readFileSync(join(packageRoot, 'deploy/grafana', name), 'utf8'), 'UPDATE_GOLDEN=1 .ci/deploy');
});

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
