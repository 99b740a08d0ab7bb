import { createServer, type Server, type TLSSocket } from 'node:tls';
import { constants } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import { listenError, type HostPort } from '../../core/address.js';
import type { RefusalReason } from '../../core/refusals.js';
import { certificateName, type Identity, type OnRefused, type Role } from '../../security/identity.js';

/** A client that says nothing holds nothing but a socket, and that not for long. */
const handshakeMs = 10_000;
const connectionsMax = 10_000;

export interface SecureDoor {
  readonly identity: Identity;
  /** Whose certificates are let in. */
  readonly admits: readonly Role[];
  readonly onRefused: OnRefused;
  /** A connection of somebody who belongs to the run. */
  admitted(socket: TLSSocket): void;
  /** Somebody who showed no certificate, or a wrong one; without this the connection ends at once. */
  stranger?(socket: TLSSocket, reason: RefusalReason): void;
}

/**
 * Listens with TLS, and looks at every client's certificate before anything that it sends is read: whoever does not belong
 * to the run never reaches a service of it.
 */
export class SecureListener {
  private readonly server: Server;
  /** All that are open, whoever has them: one may be let in when that one is gone. */
  private readonly sockets = new Set<Socket>();

  constructor(private readonly door: SecureDoor) {
    const { identity } = door;
    this.server = createServer(
      {
        ...contextOf(identity),
        requestCert: true,
        rejectUnauthorized: false, //                                 it is refused here, where the reason is known
        ALPNProtocols: ['h2'],
        handshakeTimeout: handshakeMs,
      },
      (socket) => this.onSecure(socket),
    );
    this.server.maxConnections = connectionsMax;
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    identity.onChange(() => this.server.setSecureContext(contextOf(identity)));
    this.server.on('tlsClientError', (error, socket) => this.onBroken(error, socket));
  }

  /** @returns the port that it has @param flag - with which a person chooses it @throws LockstepError as `listenError` says */
  async start(at: HostPort, flag: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error: Error) => reject(listenError(error, at, flag)));
      this.server.listen(at.port, at.host, resolve);
    });
    return (this.server.address() as AddressInfo).port;
  }

  /** Takes no more connections. Those that are open belong to whoever was given them. */
  stop(): void {
    this.server.close();
  }

  /** Ends those that are open, too. */
  kill(): void {
    this.stop();
    for (const socket of this.sockets) socket.destroy();
  }

  private onSecure(socket: TLSSocket): void {
    socket.on('error', () => undefined); //                           whoever was given it hears of it, too
    const reason = refusalOf(socket, this.door.admits);
    if (reason === undefined) return this.door.admitted(socket);
    if (this.door.stranger) return this.door.stranger(socket, reason);
    this.door.onRefused(reason, addressOf(socket));
    socket.destroy();
  }

  private onBroken(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const { remoteAddress } = socket as Socket;
    // A client that does not believe us says so with an alert, or just goes: nothing was asked of us.
    if (error.code === 'ECONNRESET' || /ALERT/.test(error.code ?? '')) return;
    this.door.onRefused(isPlainText(error) ? 'plain-text' : 'handshake', remoteAddress ?? 'unknown');
    socket.destroy();
  }
}

export function addressOf(socket: Socket): string {
  return socket.remoteAddress ?? 'unknown';
}

function refusalOf(socket: TLSSocket, admits: readonly Role[]): RefusalReason | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return 'no-certificate';
  if (!socket.authorized) {
    const isOfTime = /EXPIRED|NOT_YET_VALID/.test(String(socket.authorizationError));
    return isOfTime ? 'expired-certificate' : 'other-authority';
  }
  return admits.some((role) => certificate.checkHost(certificateName(role)) !== undefined) ? undefined : 'wrong-role';
}

/** What OpenSSL says when the first bytes are no greeting of TLS. */
function isPlainText({ code }: NodeJS.ErrnoException): boolean {
  return ['ERR_SSL_HTTP_REQUEST', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'].includes(
    code ?? '',
  );
}

function contextOf(identity: Identity) {
  const { ca, certificate, key } = identity.current();
  return {
    ca,
    cert: certificate,
    key,
    minVersion: 'TLSv1.3',
    // No connection goes on where an earlier one was: each shows its certificate, which may have expired meanwhile.
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const;
}
