import { X509Certificate } from 'node:crypto';
import type { Clock } from '../core/clock.js';
import type { Authority, CertificateRequest } from './authority.js';
import type { CertificateFolder } from './folder.js';
import type { Credentials, Identity, Role } from './identity.js';
import { newKeyPair } from './secrets.js';

/** How often a folder is looked at for certificates that somebody has put there. */
const lookMs = 2_000;
/** A renewal that failed is tried again after this. */
const retryMs = 60_000;
/** Longest delay that a timer of Node takes, roughly. */
const timerMsMax = 2_000_000_000;

export interface IdentityNeeds {
  readonly clock: Clock;
  /** Since 1970. */
  readonly wallTimeMs: () => number;
  readonly log: { info(text: string): void; warn(text: string): void };
}

/** An identity with an end. */
export interface KeptIdentity extends Identity {
  /** It is not renewed any more. */
  close(): void;
}

abstract class Renewed implements KeptIdentity {
  private readonly listeners: (() => void)[] = [];
  private cancelTimer: () => void = () => undefined;

  constructor(
    private credentials: Credentials,
    protected readonly needs: IdentityNeeds,
  ) {}

  current(): Credentials {
    return this.credentials;
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  close(): void {
    this.cancelTimer();
    this.cancelTimer = () => undefined;
  }

  protected take(credentials: Credentials): void {
    this.credentials = credentials;
    const until = new X509Certificate(credentials.certificate).validTo;
    this.needs.log.info(`has a new certificate, valid until ${until}`);
    for (const listener of this.listeners) listener();
  }

  protected after(delayMs: number, run: () => void): void {
    this.cancelTimer();
    this.cancelTimer = this.needs.clock.setTimer(delayMs, run);
  }
}

/** Certificates that somebody puts into a folder, and replaces there: `lockstep certs rotate`, or a tool of the cluster. */
export class FolderIdentity extends Renewed {
  private version: string;

  constructor(
    private readonly folder: CertificateFolder,
    private readonly role: Role,
    needs: IdentityNeeds,
  ) {
    super(folder.credentials(role), needs);
    this.version = folder.version();
    this.watch();
  }

  private watch(): void {
    this.after(lookMs, () => {
      this.look();
      this.watch();
    });
  }

  private look(): void {
    const version = this.folder.version();
    if (version === this.version) return;
    try {
      const credentials = this.folder.credentials(this.role);
      this.version = version;
      this.take(credentials);
    } catch (error) {
      // Half of it may be there only: what we have serves on, and the next look finds the rest.
      this.needs.log.warn(`keeps its certificate: ${(error as Error).message}`);
    }
  }
}

/** A certificate that we get anew ourselves before it runs out, each with a key of its own. */
export class RenewingIdentity extends Renewed {
  /** @param renew - @returns the certificate for a public key, and whom to believe */
  constructor(
    first: Credentials,
    private readonly renew: (publicKey: Buffer) => Promise<Omit<Credentials, 'key'>>,
    needs: IdentityNeeds,
  ) {
    super(first, needs);
    this.plan();
  }

  private plan(): void {
    const { validFrom, validTo } = new X509Certificate(this.current().certificate);
    const dueMs = Date.parse(validFrom) + (2 / 3) * (Date.parse(validTo) - Date.parse(validFrom));
    this.after(Math.min(Math.max(dueMs - this.needs.wallTimeMs(), 0), timerMsMax), () => void this.again());
  }

  private async again(): Promise<void> {
    try {
      const { key, publicKey } = newKeyPair();
      this.take({ ...(await this.renew(publicKey)), key });
      this.plan();
    } catch (error) {
      this.needs.log.warn(`could not renew its certificate: ${(error as Error).message}`);
      this.after(retryMs, () => void this.again());
    }
  }
}

/** Of whoever has the authority at hand. */
export async function issuedIdentity(
  authority: Authority,
  holder: Omit<CertificateRequest, 'publicKey'>,
  needs: IdentityNeeds,
): Promise<KeptIdentity> {
  const issue = async (publicKey: Buffer) => ({
    ca: authority.certificate,
    certificate: await authority.issue({ ...holder, publicKey }),
  });
  const { key, publicKey } = newKeyPair();
  return new RenewingIdentity({ ...(await issue(publicKey)), key }, issue, needs);
}
