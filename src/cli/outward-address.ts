import { networkInterfaces } from 'node:os';

/**
 * An address of this machine that others are likely to reach, for a command that somebody pastes on another one: the first
 * one that is neither loopback nor only of its own link. Where a machine has several, `--advertise` says which.
 *
 * @param wildcard - `0.0.0.0` for IPv4, `::` for any, IPv4 first all the same
 */
export function outwardAddress(wildcard: string, interfaces = networkInterfaces()): string | undefined {
  const all = Object.entries(interfaces)
    .filter(([name]) => !isVirtual(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address));
  const [v4, v6] = ['IPv4', 'IPv6'].map((family) => all.find((each) => each.family === family)?.address);
  return v4 ?? (wildcard === '0.0.0.0' ? undefined : v6);
}

/** Bridges of containers and virtual machines lead to nobody else. */
function isVirtual(name: string): boolean {
  return /^(docker|br-|veth|virbr|cni|flannel|cali|vmnet|vboxnet)/.test(name);
}
