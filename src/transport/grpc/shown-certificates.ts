import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { parseHostPort } from '../../core/address.js';
import type { Clock } from '../../core/clock.js';
import { certificateName } from '../../security/identity.js';

const patienceMs = 10_000;

/**
 * The certificates that the coordinator at `address` shows, its own first and the authority's last. Nothing is believed and
 * nothing is sent: it is for the caller to compare them.
 *
 * @throws Error whose code says what came instead; `isNoTls` knows whether that was an answer without TLS
 */
export async function shownAt(address: string, clock: Clock): Promise<readonly X509Certificate[]> {
  const { host, port } = parseHostPort(address)!;
  const socket = connect({
    host,
    port,
    rejectUnauthorized: false,
    servername: certificateName('coordinator'),
    ALPNProtocols: ['h2'],
  });
  let cancel = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const giveUp = () => reject(new Error(`it says nothing for ${patienceMs / 1000} s`));
      cancel = clock.setTimer(patienceMs, giveUp);
      socket.once('secureConnect', resolve).once('error', reject);
    });
    const shown: X509Certificate[] = [];
    for (let each = socket.getPeerCertificate(true); each.raw;) {
      shown.push(new X509Certificate(each.raw));
      const issuer = each.issuerCertificate as typeof each | undefined;
      if (!issuer || issuer === each || issuer.fingerprint256 === each.fingerprint256) break;
      each = issuer;
    }
    return shown;
  } finally {
    cancel();
    socket.destroy();
  }
}

/** Whether whoever answered speaks no TLS: what OpenSSL says of other bytes, or a connection that ended at our greeting. */
export function isNoTls(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return (
    code === 'ECONNRESET' || /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD)/.test(code)
  );
}
