import { credentials, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { connect, type TLSSocket } from 'node:tls';
import { parseHostPort } from '../../core/address.js';
import { certificateName, type Credentials, type Identity, type Role } from '../../security/identity.js';

/** How a client of the run reaches a server of that role; plain text without an identity. */
export function channelSecurity(
  identity: Pick<Identity, 'current'> | undefined,
  server: Role,
): { readonly channelCredentials: ChannelCredentials; readonly securityOptions: ChannelOptions } {
  if (!identity) return { channelCredentials: credentials.createInsecure(), securityOptions: {} };
  return securityWith(identity.current(), server);
}

/** The same for one who has no certificate yet, and knows only whom to believe. */
export function securityWith(given: Pick<Credentials, 'ca'> & Partial<Credentials>, server: Role) {
  const { ca, certificate, key } = given;
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  return {
    channelCredentials: credentials.createSsl(Buffer.from(ca), pem(key), pem(certificate)),
    // The certificate names a role, not the address at which its holder is today.
    securityOptions: {
      'grpc.ssl_target_name_override': certificateName(server),
      'grpc.default_authority': certificateName(server),
    },
  };
}

/** A connection to another worker, or to the coordinator's hub, for HTTP/2. */
export function connectSecurely(identity: Identity, address: string, server: Role = 'worker'): TLSSocket {
  const { ca, certificate, key } = identity.current();
  const { host, port } = parseHostPort(address) ?? { host: address, port: 0 };
  return connect({
    host,
    port,
    ca,
    cert: certificate,
    key,
    minVersion: 'TLSv1.3',
    servername: certificateName(server),
    ALPNProtocols: ['h2'],
  });
}
