import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import type { HostPort } from '../core/address.js';

/**
 * The address of this machine from which it reaches another one: where it has several interfaces, the one that the
 * others of the run are likely to reach, too. Nothing is sent: connecting a datagram socket only asks for the route.
 *
 * @throws Error if the name has no address or there is no way to it
 */
export async function ownAddressTowards({ host, port }: HostPort): Promise<string> {
  const { address, family } = await lookup(host);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(port, address, resolve);
    });
    return socket.address().address;
  } finally {
    socket.close();
  }
}
