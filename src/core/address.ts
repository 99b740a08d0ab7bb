/** Network addresses as people write them, `HOST:PORT`, with IPv6 in brackets: `[::1]:7070`. */

import { fault } from './faults.js';

export interface HostPort {
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  /** 1..65535, or 0 for any free one when listening. */
  readonly port: number;
}

/** Reads `HOST:PORT`; undefined if it is anything else. A bare IPv6 address is refused: its last colon is ambiguous. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host !== undefined && port <= 65_535 ? { host, port } : undefined;
}

/** `HOST:PORT`, as a URL or a gRPC target wants it. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a host means "every interface of this machine": it can be listened on but not dialled. */
export function isWildcardHost(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '';
}

/** Whether only programs of this machine reach the host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** How this machine reaches one of its own programs that listens on `host`. */
export function localHost(host: string): string {
  if (!isWildcardHost(host)) return host;
  return host === '::' ? '::1' : '127.0.0.1';
}

/**
 * The fault behind a failed `listen`, where there is one; any other error comes back as it is.
 *
 * @param flag - the flag with which a person chooses the port, `--metrics-port`
 */
export function listenError(error: Error, at: HostPort, flag: string): Error {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return fault('PORT_IN_USE', { ...at, flag }, error);
  if (code === 'EACCES') return fault('PORT_NOT_PERMITTED', { ...at, flag }, error);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return fault('ADDRESS_NOT_HERE', { ...at, flag }, error);
  return error;
}
