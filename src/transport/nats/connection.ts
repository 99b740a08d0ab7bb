import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import type { Authenticator, NatsConnection } from 'nats';
import type { HostPort } from '../../core/address.js';
import { fault } from '../faults.js';

export type { NatsConnection };

/** How long the first attempt may take; later the client goes on trying for as long as the program runs. */
const firstAttemptMs = 5_000;
const reconnectMs = 250;
const defaultPort = 4222;

/** Which server, and how it knows us. */
export interface NatsAccess {
  /** `nats://host:4222`, or several with commas between; `tls://` asks for TLS. */
  readonly url: string;
  /** File: `.creds`, the seed of an nkey, or `USER:PASSWORD`. */
  readonly credentials?: string | undefined;
  /** File with the authority of the server's certificate: the connection is TLS then. */
  readonly ca?: string | undefined;
}

/** Where the servers of `--nats` are. */
export function serversIn(url: string): readonly HostPort[] {
  return url.split(',').map((each) => {
    const { hostname, port } = new URL(each.includes('://') ? each : `nats://${each}`);
    return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || defaultPort) };
  });
}

/** The flags that give a program of ours the same access. */
export function natsFlags({ url, credentials, ca }: NatsAccess): readonly string[] {
  return [
    ...['--nats', url],
    ...(credentials === undefined ? [] : ['--nats-creds', credentials]),
    ...(ca === undefined ? [] : ['--nats-ca', ca]),
  ];
}

export interface NatsOnlooker {
  readonly log: { info(text: string): void; warn(text: string): void };
  /** The server is there, or is not any more. */
  readonly onReach?: (isReached: boolean) => void;
}

/**
 * @param name - who we are, for the server's own monitoring
 * @throws LockstepError `NATS_UNREACHABLE`, `NATS_REFUSED`, `NATS_ACCESS_UNREADABLE`
 */
export async function connectNats(
  access: NatsAccess,
  name: string,
  { log, onReach = () => undefined }: NatsOnlooker,
): Promise<NatsConnection> {
  // Loaded by whoever uses it: it takes a tenth of a second, and a coordinator in place of one that died is in a hurry.
  const { connect, Events } = await import('nats');
  const { url } = access;
  const authenticator = access.credentials === undefined ? undefined : await authenticatorFrom(access.credentials);
  const tls = tlsOf(access);
  let connection: NatsConnection;
  try {
    connection = await connect({
      servers: url.split(','),
      ...(authenticator && { authenticator }),
      ...(tls && { tls }),
      name,
      timeout: firstAttemptMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: reconnectMs,
      pingInterval: 2_000, //                                        a server that is cut off without a word is noticed, too
      maxPingOut: 2,
    });
  } catch (error) {
    const refusals = ['AUTHORIZATION_VIOLATION', 'AUTHENTICATION_EXPIRED', 'BAD_AUTHENTICATION', 'BAD_CREDS'];
    if (refusals.includes((error as { code?: string }).code ?? ''))
      throw fault('NATS_REFUSED', { url, reason: (error as Error).message }, error);
    throw fault('NATS_UNREACHABLE', { url, reason: (error as Error).message }, error);
  }
  void (async () => {
    for await (const { type } of connection.status()) {
      if (type === Events.Disconnect) {
        onReach(false);
        log.warn(`NATS at ${url} is out of reach: steps go on, but who takes part cannot change until it is back`);
      }
      if (type === Events.Reconnect) {
        onReach(true);
        log.info(`NATS at ${url} is back`);
      }
    }
  })();
  return connection;
}

/** Told by its content, so that there is one flag for what an administrator hands out. */
async function authenticatorFrom(path: string): Promise<Authenticator> {
  const { credsAuthenticator, nkeyAuthenticator, usernamePasswordAuthenticator } = await import('nats');
  const text = read(path);
  if (text.includes('BEGIN NATS USER JWT')) return credsAuthenticator(Buffer.from(text));
  const seed = /^SU[A-Z2-7]{56}$/m.exec(text)?.[0];
  if (seed !== undefined) return nkeyAuthenticator(Buffer.from(seed));
  const [, user, password] = /^([^\s:]+):(\S+)\s*$/.exec(text) ?? [];
  if (user !== undefined) return usernamePasswordAuthenticator(user, password);
  const reason = 'it is neither a .creds file, nor the seed of a user, nor one line USER:PASSWORD';
  throw fault('NATS_ACCESS_UNREADABLE', { path, reason });
}

/** Handed on to Node.js as it is. */
interface Tls extends Pick<ConnectionOptions, 'checkServerIdentity'> {
  readonly ca?: string;
}

function tlsOf({ url, ca }: NatsAccess): Tls | undefined {
  if (ca === undefined && !url.startsWith('tls://')) return undefined;
  const addresses = serversIn(url).flatMap(({ host }) => (isIP(host) === 0 ? [] : [host]));
  return {
    ...(ca !== undefined && { ca: read(ca) }),
    // The client names no host where it was given an address, and Node.js would ask for a certificate of localhost.
    checkServerIdentity: (host, certificate) => {
      const wrong = checkServerIdentity(host, certificate);
      if (!wrong || host !== 'localhost') return wrong;
      return addresses.some((address) => !checkServerIdentity(address, certificate)) ? undefined : wrong;
    },
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fault(
      'NATS_ACCESS_UNREADABLE',
      { path, reason: (error as NodeJS.ErrnoException).code ?? String(error) },
      error,
    );
  }
}

/** Whether a failed request says nothing about what the server did: it may be tried again. */
export function isUncertain(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return ['TIMEOUT', '503', 'CONNECTION_CLOSED', 'DISCONNECT', 'CONNECTION_REFUSED'].includes(String(code));
}

/** Whether the server knows no such stream, or no such message. */
export function isMissing(error: unknown): boolean {
  const [noMessage, noStream] = [10037, 10059];
  const code = (error as { api_error?: { err_code?: number } }).api_error?.err_code;
  return code === noMessage || code === noStream;
}

/** Whether the server refused a write, since somebody else has written meanwhile. */
export function isConflict(error: unknown): boolean {
  const wrongLastSequence = 10071;
  return (error as { api_error?: { err_code?: number } }).api_error?.err_code === wrongLastSequence;
}
