/** HTTP with TLS and without on one port: the first byte that a client sends says which one it speaks. */

import type { Server as HttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';

/** PEM. */
export interface ServerCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** The type of a TLS record that begins a handshake. */
const handshakeRecord = 22;

/**
 * @param http - is given all connections, those with TLS as TLSSocket; it need not listen
 * @param certificate - that of now; undefined while there is none: then TLS is refused
 * @param silenceMs - after which a client that has said nothing is gone
 */
export function httpInTwo(
  http: HttpServer,
  certificate: () => ServerCertificate | undefined,
  silenceMs: number,
): { readonly server: Server; closeAllConnections(): void } {
  const undecided = new Set<Socket>();
  let known: { readonly of: string; readonly context: SecureContext } | undefined;
  const context = (): SecureContext | undefined => {
    const now = certificate();
    if (!now) return undefined;
    if (known?.of !== now.certificate)
      known = {
        of: now.certificate,
        context: createSecureContext({ cert: now.certificate, key: now.key, minVersion: 'TLSv1.3' }),
      };
    return known.context;
  };
  const server = createServer((socket) => {
    const leave = (): void => void socket.destroy();
    undecided.add(socket);
    socket.setTimeout(silenceMs, leave);
    socket.once('error', leave);
    socket.once('close', () => undecided.delete(socket));
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      undecided.delete(socket);
      socket.setTimeout(0);
      const secureContext = first[0] === handshakeRecord ? context() : undefined;
      if (first[0] !== handshakeRecord) http.emit('connection', socket);
      else if (secureContext) http.emit('connection', new TLSSocket(socket, { isServer: true, secureContext }));
      else return leave();
      process.nextTick(() => socket.resume());
    });
  });
  return { server, closeAllConnections: () => undecided.forEach((socket) => socket.destroy()) };
}
