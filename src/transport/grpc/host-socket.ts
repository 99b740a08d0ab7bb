import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Workers of one host reach each other through Unix sockets, which cost less than loopback. Nothing is negotiated: the
 * file's name follows from run and address, so whoever finds it under that name reaches the worker that listens at the
 * address; whoever does not (another host, another user, another view of /tmp) takes the address.
 */

/** What every system's `sockaddr_un` holds (104 bytes on macOS, 108 on Linux), less the terminating zero. */
const pathBytesMax = 103;

/** Only this user's: others can neither listen under a worker's name nor connect to it. */
function folder(): string | undefined {
  const uid = process.getuid?.(); //                                  Windows has none, and no such sockets
  return uid === undefined ? undefined : join(tmpdir(), `lockstep-${uid}`);
}

function isOurs(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === process.getuid!() && (found.mode & 0o077) === 0;
}

function pathIn(path: string, runId: string, address: string): string | undefined {
  const name = createHash('sha256').update(`${runId}\n${address}`).digest('hex').slice(0, 24);
  const whole = join(path, `${name}.sock`);
  return Buffer.byteLength(whole) <= pathBytesMax ? whole : undefined;
}

/** Where the worker that listens at `address` should listen besides; undefined where that is not possible. */
export function ownSocketPath(runId: string, address: string): string | undefined {
  const path = folder();
  const whole = path && pathIn(path, runId, address);
  if (!whole) return undefined;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch {
    return undefined; //                                              a read-only /tmp: the address will do
  }
  return isOurs(path) ? whole : undefined;
}

/** The socket of the worker at `address`, if it is one of this host. */
export function peerSocketPath(runId: string, address: string): string | undefined {
  const path = folder();
  const whole = path && pathIn(path, runId, address);
  if (!whole || !isOurs(path)) return undefined;
  return lstatSync(whole, { throwIfNoEntry: false })?.isSocket() ? whole : undefined;
}

/** Removes what workers left that were killed: a socket at which nobody answers. */
export async function removeStaleSockets(): Promise<void> {
  const path = folder();
  if (!path || !isOurs(path)) return;
  const names = readdirSync(path).filter((name) => name.endsWith('.sock'));
  await Promise.all(
    names.map(async (name) => {
      const file = join(path, name);
      if (!(await isDead(file))) return;
      try {
        unlinkSync(file);
      } catch {
        // Another worker was faster.
      }
    }),
  );
}

function isDead(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(file);
    socket
      .once('connect', () => resolve(false))
      .once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
    socket.once('connect', () => socket.destroy());
  });
}
