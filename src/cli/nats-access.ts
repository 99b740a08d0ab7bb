import type { HostPort } from '../core/address.js';

const defaultPort = 4222;

/** Where a server of `--nats` is, the first one of several; agents and coordinators are reached in the network that it is in. */
export function hostOfNats(urls: string): HostPort {
  const [first = ''] = urls.split(',');
  const { hostname: host, port } = new URL(first.includes('://') ? first : `nats://${first}`);
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port || defaultPort) };
}
