import { networkInterfaces } from 'node:os';
import { isLoopback } from '../core/address.js';

/**
 * An address of this machine that others are likely to reach, for a command that somebody pastes on another one: one that
 * is neither loopback nor only of its own link, nor that of a bridge to containers. Where a machine has several,
 * `--advertise` says which.
 *
 * @param wildcard - `0.0.0.0` for IPv4, `::` for any, IPv4 first all the same
 * @param routed - from which the machine reaches the rest of the world; taken if it is one of them
 */
export function outwardAddress(
  wildcard: string,
  routed: string | undefined,
  interfaces = networkInterfaces(),
): string | undefined {
  const all = Object.entries(interfaces)
    .filter(([name]) => !isVirtual(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address));
  const [v4, v6] = ['IPv4', 'IPv6'].map((family) => all.find((each) => each.family === family)?.address);
  const isOurs = routed !== undefined && !isLoopback(routed) && all.some(({ address }) => address === routed);
  return isOurs ? routed : (v4 ?? (wildcard === '0.0.0.0' ? undefined : v6));
}

/** Bridges of containers and virtual machines lead to nobody else. */
function isVirtual(name: string): boolean {
  return /^(docker|br-|veth|virbr|cni|flannel|cali|vmnet|vboxnet)/.test(name);
}
