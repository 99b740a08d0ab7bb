import { X509Certificate, createPrivateKey } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../core/atomic-file.js';
import { Authority, fingerprintOf } from './authority.js';
import { fault } from './faults.js';
import { certificateName, roles, type Credentials, type Role } from './identity.js';
import { newSecret } from './secrets.js';

/** The files of a folder of certificates. The key of the authority is only where something is issued. */
const names = {
  ca: 'ca.pem',
  caKey: 'ca.key',
  certificate: 'cert.pem',
  key: 'key.pem',
  metricsToken: 'metrics-token',
  usedTokens: 'used-tokens.jsonl',
} as const;

const secretMode = 0o600;

/** A folder in which a run's certificates lie, or those of one of its programs. */
export class CertificateFolder {
  constructor(readonly path: string) {}

  /** Makes a new authority here. @throws LockstepError `CERTS_EXIST` */
  static async init(path: string, run: string, hours: number, nowMs: () => number): Promise<CertificateFolder> {
    for (const name of [names.ca, names.caKey])
      if (existsSync(join(path, name))) throw fault('CERTS_EXIST', { path: join(path, name) });
    const made = await Authority.create(run, hours, nowMs);
    return CertificateFolder.create(path, { ...made, metricsToken: newSecret() });
  }

  /** Writes an authority that was made elsewhere. */
  static async create(
    path: string,
    { authority, key, metricsToken }: { authority: Authority; key: string; metricsToken: string },
  ): Promise<CertificateFolder> {
    const folder = new CertificateFolder(path);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    await folder.write(names.ca, authority.certificate);
    await folder.write(names.metricsToken, `${metricsToken}\n`, secretMode);
    await folder.write(names.caKey, key, secretMode); //               last: with it the folder is whole
    return folder;
  }

  get hasAuthority(): boolean {
    return existsSync(join(this.path, names.caKey));
  }

  get usedTokensPath(): string {
    return join(this.path, names.usedTokens);
  }

  /** Of those whose certificates are believed: several while one follows another. @throws LockstepError `CERTS_UNREADABLE` */
  believedFingerprints(): readonly string[] {
    const all = this.read(names.ca).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    return all.map((pem) => fingerprintOf(this.parse(names.ca, pem).raw));
  }

  /** @throws LockstepError `NO_AUTHORITY`, `CERTS_UNREADABLE` */
  authority(nowMs: () => number): Authority {
    if (!this.hasAuthority) throw fault('NO_AUTHORITY', { dir: this.path });
    return Authority.from(this.read(names.ca), this.read(names.caKey), join(this.path, names.caKey), nowMs);
  }

  /** With which whoever reads metrics shows that he may; undefined where there is none. */
  metricsToken(): string | undefined {
    return existsSync(join(this.path, names.metricsToken)) ? this.read(names.metricsToken).trim() : undefined;
  }

  /** @throws LockstepError `CERTS_UNREADABLE` if they do not belong together, or are not for this role */
  credentials(role: Role): Credentials {
    const [ca, certificate, key] = [this.read(names.ca), this.read(names.certificate), this.read(names.key)];
    const path = join(this.path, names.certificate);
    const parsed = this.parse(names.certificate, certificate);
    if (!belongTogether(parsed, key)) throw fault('CERTS_UNREADABLE', { path, reason: 'key.pem is not its key' });
    if (parsed.checkHost(certificateName(role)) === undefined)
      throw fault('CERTS_UNREADABLE', { path, reason: `it is not for the role ${role}` });
    return { ca, certificate, key };
  }

  /** The same, or undefined if there are none that can be used now. */
  validCredentials(role: Role, nowMs: number): Credentials | undefined {
    if (!existsSync(join(this.path, names.certificate))) return undefined;
    try {
      const credentials = this.credentials(role);
      return Date.parse(new X509Certificate(credentials.certificate).validTo) > nowMs ? credentials : undefined;
    } catch {
      return undefined;
    }
  }

  /** Of its certificate. */
  holder(): { readonly role: Role; readonly name: string } {
    const { subject } = this.parse(names.certificate, this.read(names.certificate));
    const role = roles.find((known) => known === /^OU=(.*)$/m.exec(subject)?.[1]);
    const name = /^CN=(.*)$/m.exec(subject)?.[1];
    const path = join(this.path, names.certificate);
    if (!role || name === undefined) throw fault('CERTS_UNREADABLE', { path, reason: 'lockstep did not issue it' });
    return { role, name };
  }

  /** Everything that one program needs: what is there is replaced. */
  async store(credentials: Credentials, metricsToken: string | undefined): Promise<void> {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    await this.write(names.ca, credentials.ca);
    if (metricsToken !== undefined) await this.write(names.metricsToken, `${metricsToken}\n`, secretMode);
    await this.write(names.key, credentials.key, secretMode); //       a reader in between sees that they do not fit
    await this.write(names.certificate, credentials.certificate);
  }

  /** Changes whenever a certificate here does. */
  version(): string {
    return [names.ca, names.certificate, names.key]
      .map((name) => statSync(join(this.path, name), { throwIfNoEntry: false }))
      .map((found) => (found ? `${found.mtimeMs} ${found.size} ${found.ino}` : ''))
      .join('\n');
  }

  private read(name: string): string {
    const path = join(this.path, name);
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw fault('CERTS_UNREADABLE', { path, reason: (error as NodeJS.ErrnoException).code ?? String(error) }, error);
    }
  }

  private parse(name: string, text: string): X509Certificate {
    try {
      return new X509Certificate(text);
    } catch (error) {
      throw fault('CERTS_UNREADABLE', { path: join(this.path, name), reason: (error as Error).message }, error);
    }
  }

  private write(name: string, content: string, mode = 0o644): Promise<void> {
    return writeFileAtomically(join(this.path, name), [Buffer.from(content)], mode);
  }
}

function belongTogether(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
