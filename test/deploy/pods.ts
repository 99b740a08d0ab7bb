/**
 * A node of Kubernetes as far as our pods can tell, with Podman in the kubelet's place: a pod has its address on a switch, and
 * its user, rights, variables, volumes and probes are those of its manifest. A service is a name that leads to one address.
 * Limits of memory are left out, as control groups may not be had.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerEngine } from './container-engine.js';
import { podOf, type Container, type Manifest, type PodSpec, type Probe, type Volume } from './manifests.js';
import { Switch } from './switch.js';

/** A program that asks as a kubelet does, from outside: ADDRESS PORT [PATH]; without a path a connection is enough. */
const probing = `import { connect } from 'node:net';
import { once } from 'node:events';
const [address, port, path] = process.argv.slice(1);
if (path === undefined) { const socket = connect(port, address); await once(socket, 'connect'); socket.destroy(); }
else if (!(await fetch('http://' + address + ':' + port + path)).ok) process.exitCode = 1;`;

/** The kubelet, among the hosts of the switch. */
const kubelet = 'kubelet';

export class PodNode {
  private readonly network = new Switch();

  /**
   * @param folder - for volumes
   * @param services - names, each of the pod that answers to it
   */
  constructor(
    private readonly engine: ContainerEngine,
    private readonly folder: string,
    private readonly services: Readonly<Record<string, string>>,
  ) {}

  start(): void {
    mkdirSync(this.folder);
    this.network.start();
    for (const host of [kubelet, ...Object.values(this.services)]) this.network.add(host);
  }

  /** Once the pods have been removed. */
  stop(): void {
    this.network.remove();
  }

  /**
   * Starts a pod of a Job or a Deployment. One of the same name has its address and its claims, not its other volumes.
   *
   * @param maps - the ConfigMaps that there are
   */
  async run(name: string, manifest: Manifest, maps: readonly Manifest[]): Promise<Pod> {
    const spec = podOf(manifest)!;
    const [container] = spec.containers as [Container];
    if (!this.network.has(name)) this.network.add(name);
    const address = this.network.addressOf(name);
    const words = ['--network', `ns:/run/netns/${this.network.nameOf(name)}`, '--hostname', spec.hostname ?? name];
    for (const [service, pod] of Object.entries(this.services))
      words.push('--add-host', `${service}:${this.network.addressOf(pod)}`);
    words.push('--restart', spec.restartPolicy === 'Never' ? 'no' : 'always', ...rightsOf(spec, container));
    const fields: Readonly<Record<string, string>> = { 'status.podIP': address, 'metadata.name': name };
    for (const { name: variable, value, valueFrom } of container.env ?? [])
      words.push('--env', `${variable}=${value ?? fields[valueFrom!.fieldRef.fieldPath]}`);
    for (const { name: mounted, mountPath, readOnly } of container.volumeMounts ?? []) {
      const volume = spec.volumes!.find((each) => each.name === mounted)!;
      const place = this.volume(name, volume, spec.securityContext!.fsGroup!, maps);
      words.push('--volume', `${place}:${mountPath}${readOnly === true ? ':ro' : ''}`);
    }
    if (container.command) words.push('--entrypoint', JSON.stringify(container.command));
    const start = ['podman', 'run', '--replace', '--detach', '--name', name];
    await this.engine.must([...start, ...words, container.image, ...(container.args ?? [])]);
    return new Pod(this.engine, name, spec, (probe) => this.answers(address, container, probe));
  }

  /** Where the files of a claim lie. */
  claim(name: string): string {
    return join(this.folder, name);
  }

  private volume(pod: string, volume: Volume, group: number, maps: readonly Manifest[]): string {
    const claim = volume.persistentVolumeClaim?.claimName;
    const place = claim === undefined ? join(this.folder, `${pod}-${volume.name}`) : this.claim(claim);
    mkdirSync(place, { recursive: true });
    chownSync(place, 0, group);
    chmodSync(place, 0o2775);
    if (volume.configMap) {
      const map = maps.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === volume.configMap!.name)!;
      for (const [file, text] of Object.entries(map.data!)) writeFileSync(join(place, file), text);
    }
    return place;
  }

  private answers(address: string, container: Container, { httpGet, tcpSocket }: Probe): boolean {
    const named = (httpGet ?? tcpSocket)!.port;
    const { containerPort } = container.ports!.find(({ name }) => name === named)!;
    const node = [process.execPath, '--input-type=module', '--eval', probing, '--'];
    const where = [address, String(containerPort), ...(httpGet ? [httpGet.path] : [])];
    const [program = '', ...words] = [...this.network.inside(kubelet), ...node, ...where];
    return spawnSync(program, words).status === 0;
  }
}

/** How Podman is told what a manifest says about user and rights. */
function rightsOf({ securityContext: pod = {} }: PodSpec, { securityContext = {} }: Container): readonly string[] {
  const { readOnlyRootFilesystem, allowPrivilegeEscalation, capabilities } = securityContext;
  return [
    ...['--user', `${pod.runAsUser}:${pod.runAsGroup}`, '--group-add', String(pod.fsGroup)],
    ...(readOnlyRootFilesystem === true ? ['--read-only', '--read-only-tmpfs=false'] : []),
    ...(allowPrivilegeEscalation === false ? ['--security-opt', 'no-new-privileges'] : []),
    ...(capabilities?.drop ?? []).flatMap((capability) => ['--cap-drop', capability]),
  ];
}

export class Pod {
  constructor(
    private readonly engine: ContainerEngine,
    readonly name: string,
    private readonly spec: PodSpec,
    private readonly answers: (probe: Probe) => boolean,
  ) {}

  /** Waits until the probe for its start succeeds; then the others have to. */
  async assertHealthy(): Promise<void> {
    const [{ startupProbe, readinessProbe, livenessProbe }] = this.spec.containers as [Container];
    await this.engine.until(`${this.name} starts`, this.name, () => this.answers(startupProbe!));
    assert.ok(this.answers(readinessProbe!), `${this.name} is ready`);
    assert.ok(this.answers(livenessProbe!), `${this.name} lives`);
  }

  /** As when it is deleted: SIGTERM, and SIGKILL when the grace period is over. @returns the exit code */
  async end(): Promise<number> {
    await this.engine.must(`podman stop --time ${this.spec.terminationGracePeriodSeconds} ${this.name}`);
    return this.exitCode();
  }

  /** @returns the exit code, when it has ended by itself */
  async exitCode(): Promise<number> {
    return Number(await this.engine.must(`podman wait ${this.name}`));
  }
}
