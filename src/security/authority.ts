import { createHash, createPrivateKey, createPublicKey, hkdfSync, X509Certificate, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { fault } from './faults.js';
import { certificateName, metricsName, type Role } from './identity.js';
import { newKeyPair, newSecret } from './secrets.js';
import { formatToken } from './token.js';

const hourMs = 3_600_000;
const signing = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** Clocks of a cluster differ: a certificate is valid a little before it was made. */
const clockSlackMs = 5 * 60_000;

/** What a certificate is made for. */
export interface CertificateRequest {
  readonly role: Role;
  /** For people who look at it. */
  readonly name: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly hours: number;
  /** Names and addresses under which a browser comes. */
  readonly hosts?: readonly string[] | undefined;
}

/** What makes certificates and join tokens of one run. */
export class Authority {
  private constructor(
    readonly run: string,
    /** PEM. */
    readonly certificate: string,
    private readonly privateKey: KeyObject,
    private readonly nowMs: () => number,
  ) {}

  static async create(run: string, hours: number, nowMs: () => number): Promise<{ authority: Authority; key: string }> {
    const x509 = await library();
    const { key, publicKey, privateKey } = newKeyPair();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: `CN=authority,O=${run}`,
      issuer: `CN=authority,O=${run}`,
      notBefore: new Date(nowMs() - clockSlackMs),
      notAfter: new Date(nowMs() + hours * hourMs),
      publicKey: await importPublic(publicKey),
      signingKey: await importPrivate(privateKey),
      signingAlgorithm: signing,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ],
    });
    return { authority: new Authority(run, `${certificate.toString('pem')}\n`, privateKey, nowMs), key };
  }

  /** @throws LockstepError `CERTS_UNREADABLE` @param path - of the key, for the error */
  static from(certificate: string, key: string, path: string, nowMs: () => number): Authority {
    try {
      const parsed = new X509Certificate(certificate);
      const privateKey = createPrivateKey(key);
      if (!parsed.checkPrivateKey(privateKey)) throw new Error('it is not the key of ca.pem');
      const run = /^O=(.*)$/m.exec(parsed.subject)?.[1];
      if (run === undefined) throw new Error('ca.pem names no run');
      return new Authority(run, `${parsed.toString().trim()}\n`, privateKey, nowMs);
    } catch (error) {
      throw fault('CERTS_UNREADABLE', { path, reason: (error as Error).message }, error);
    }
  }

  /** SHA-256 of the certificate, hexadecimal. */
  get fingerprint(): string {
    return fingerprintOf(new X509Certificate(this.certificate).raw);
  }

  /** Known to whoever has the authority's key, so that nothing more has to be kept: any coordinator checks any token. */
  get tokenKey(): Uint8Array {
    const secret = this.privateKey.export({ type: 'pkcs8', format: 'der' });
    return new Uint8Array(hkdfSync('sha256', secret, '', 'lockstep join tokens', 32));
  }

  token(role: Role, uses: number, hours: number): string {
    const expires = Math.floor((this.nowMs() + hours * hourMs) / 1000);
    const claims = { ca: this.fingerprint, run: this.run, role, id: newSecret(), uses, expires };
    return formatToken(claims, this.tokenKey);
  }

  /** @returns PEM, the authority's certificate behind it @throws Error if the key is none */
  async issue({ role, name, publicKey, hours, hosts = [] }: CertificateRequest): Promise<string> {
    const x509 = await library();
    const own = new X509Certificate(this.certificate);
    const notAfter = Math.min(this.nowMs() + hours * hourMs, Date.parse(own.validTo));
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: new x509.Name([{ CN: [name] }, { O: [this.run] }, { OU: [role] }]).toString(),
      issuer: new x509.X509Certificate(this.certificate).subjectName.toString(),
      notBefore: new Date(Math.min(this.nowMs() - clockSlackMs, notAfter - 1000)),
      notAfter: new Date(notAfter),
      publicKey: await importPublic(publicKey),
      signingKey: await importPrivate(this.privateKey),
      signingAlgorithm: signing,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        new x509.SubjectAlternativeNameExtension([
          ...[certificateName(role), metricsName].map((value) => ({ type: 'dns', value }) as const),
          ...hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const),
        ]),
      ],
    });
    return `${certificate.toString('pem')}\n${this.certificate}`;
  }
}

export function fingerprintOf(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}

/** Loaded by whoever issues something: most programs of a run never do. */
async function library() {
  await import('reflect-metadata'); //                               what the library's own parts are put together with
  return import('@peculiar/x509');
}

function serialNumber(): string {
  return Buffer.from(newSecret(), 'base64url').toString('hex').replace(/^./, '1'); // positive
}

async function importPublic(der: Uint8Array): Promise<CryptoKey> {
  const key = createPublicKey({ key: Buffer.from(der), type: 'spki', format: 'der' });
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('not a key of the curve P-256');
  return crypto.subtle.importKey('spki', key.export({ type: 'spki', format: 'der' }), signing, true, ['verify']);
}

async function importPrivate(key: KeyObject): Promise<CryptoKey> {
  return crypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), signing, false, ['sign']);
}
