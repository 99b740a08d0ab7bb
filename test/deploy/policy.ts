/** What every pod of ours keeps to. Each rule returns complaints, one a line; none is good. */

import { loadConfig, type Command } from '../../src/config/index.js';
import { podOf, type Container, type Manifest, type PodSpec } from './manifests.js';

export function podComplaints(manifest: Manifest): readonly string[] {
  const pod = podOf(manifest);
  if (!pod) return [];
  const where = `${manifest.kind} ${manifest.metadata.name}`;
  return [...hostComplaints(pod), ...pod.containers.flatMap(containerComplaints)].map((text) => `${where}: ${text}`);
}

function hostComplaints(pod: PodSpec): readonly string[] {
  const context = pod.securityContext ?? {};
  return only([
    [context.runAsNonRoot !== true, 'may run as root'],
    [!(Number(context.runAsUser) > 0), 'has no user'],
    [context.seccompProfile?.type !== 'RuntimeDefault', 'has no seccomp profile'],
    [pod.hostNetwork === true, "is in the node's network"],
    [pod.automountServiceAccountToken !== false, 'has a token for Kubernetes'],
    [pod.enableServiceLinks !== false, 'gets variables that are no options'],
    [!((pod.terminationGracePeriodSeconds ?? 0) >= 30), 'has no time to leave the run'],
  ]);
}

function containerComplaints(container: Container): readonly string[] {
  const { name, image, resources, securityContext: context = {} } = container;
  const dropped = context.capabilities?.drop ?? [];
  return only([
    [!/:\d+\.\d+\.\d+(-vulkan)?(@sha256:[0-9a-f]{64})?$/.test(image), `image ${image} has no version`],
    [context.readOnlyRootFilesystem !== true, 'can write to its root'],
    [context.allowPrivilegeEscalation !== false, 'may gain privileges'],
    [!dropped.includes('ALL'), 'keeps capabilities'],
    [!resources?.requests?.['cpu'] || !resources.requests['memory'], 'requests nothing'],
    [!resources?.limits?.['memory'], 'has no limit of memory'],
    [!container.startupProbe || !container.readinessProbe || !container.livenessProbe, 'lacks a probe'],
    ...configurationComplaints(container).map((text) => [true, text] as const),
  ]).map((text) => `${name}: ${text}`);
}

/** Its variables have to be options of the program that it starts, with values that these take. */
function configurationComplaints({ image, command, args, env }: Container): readonly string[] {
  if (!image.startsWith('lockstep:')) return [];
  const program: Command = command?.[0] === 'lockstep-service' ? 'coordinator' : (args?.[0] as Command);
  const filled = (env ?? []).map(({ name, value }) => [name, value ?? 'filled-in-by-kubernetes'] as const);
  try {
    const { LOCKSTEP_CONFIG: _file, ...environment } = Object.fromEntries(filled) as Record<string, string>;
    loadConfig(program, { flags: new Map(), environment });
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

function only(rules: readonly (readonly [boolean, string])[]): readonly string[] {
  return rules.flatMap(([isBroken, text]) => (isBroken ? [text] : []));
}
