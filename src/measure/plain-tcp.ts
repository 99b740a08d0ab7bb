import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { parseHostPort, type HostPort } from '../core/address.js';
import type { Clock } from '../core/clock.js';

const chunkBytes = 512 * 1024;
const patienceMs = 60_000;
const retryMs = 200;

/**
 * Plain TCP sockets between all ranks, over which the bytes of an all-reduce go without being framed, copied or added: what
 * the machine and Node.js can do at best, for comparison.
 */
export class PlainTcp {
  private readonly server: Server;
  private readonly out: Socket[] = [];
  private readonly accepted: Socket[] = [];
  private receivedBytes = 0;
  private awaited: { readonly bytes: number; readonly resolve: () => void } | undefined;
  private readonly chunk = Buffer.alloc(chunkBytes, 1);

  constructor() {
    this.server = createServer((socket) => {
      this.accepted.push(socket);
      socket.on('error', () => undefined); //                       the exchange's own link tells who is gone
      socket.on('data', ({ byteLength }) => {
        this.receivedBytes += byteLength;
        this.settle();
      });
    });
  }

  async listen({ host, port }: HostPort): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, resolve);
    });
    return (this.server.address() as AddressInfo).port;
  }

  /** Connects to all others, which may be started a little later. */
  async connect(rank: number, addresses: readonly string[], clock: Clock): Promise<void> {
    const others = addresses.filter((_, i) => i !== rank);
    await Promise.all(others.map(async (address) => this.out.push(await dial(address, clock))));
  }

  /** Sends `bytes` to every other rank, and waits until as many have come from each. */
  async exchange(bytes: number): Promise<void> {
    const arrived = new Promise<void>((resolve) => {
      this.awaited = { bytes: bytes * this.out.length, resolve };
      this.settle();
    });
    await Promise.all([arrived, ...this.out.map((socket) => this.send(socket, bytes))]);
  }

  stop(): void {
    for (const socket of [...this.out, ...this.accepted]) socket.destroy();
    this.server.close();
  }

  private async send(socket: Socket, bytes: number): Promise<void> {
    for (let sent = 0; sent < bytes; sent += chunkBytes) {
      const chunk = this.chunk.subarray(0, Math.min(chunkBytes, bytes - sent));
      if (!socket.write(chunk)) await new Promise((resolve) => socket.once('drain', resolve));
    }
  }

  private settle(): void {
    if (!this.awaited || this.receivedBytes < this.awaited.bytes) return;
    this.receivedBytes -= this.awaited.bytes;
    this.awaited.resolve();
    this.awaited = undefined;
  }
}

/** @throws the last error, when nobody answers within `patienceMs` */
async function dial(address: string, clock: Clock): Promise<Socket> {
  const giveUpMs = clock.nowMs() + patienceMs;
  for (;;) {
    const socket = connect(parseHostPort(address)!);
    try {
      await once(socket, 'connect');
      return socket.setNoDelay(true).on('error', () => undefined);
    } catch (error) {
      socket.destroy();
      if (clock.nowMs() > giveUpMs) throw error;
      await new Promise<void>((resolve) => clock.setTimer(retryMs, resolve));
    }
  }
}
