import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { RefusalReason } from '../core/refusals.js';
import type { Authority } from './authority.js';
import type { Role } from './identity.js';
import { checkToken } from './token.js';

/** Certificates of programs that came with a token are short-lived: their holders renew them by themselves. */
export const enrolledHours = 24;

export interface Enrolled {
  /** PEM. */
  readonly certificate: string;
  readonly ca: string;
  /** With which others may read the metrics of this program. */
  readonly metricsToken: string;
}

/** One line of the file that remembers who has used a token. */
interface Use {
  readonly token: string;
  /** SHA-256 of the public key. */
  readonly key: string;
}

/**
 * Gives certificates for tokens. A token counts for as many keys as it says; the same key may ask again, so that an answer
 * that was lost costs nothing. Who has used which token is remembered in a file, since a coordinator may be started again.
 */
export class Enrolment {
  private readonly users = new Map<string, Set<string>>();

  constructor(
    private readonly authority: Authority,
    private readonly options: {
      readonly usedTokensPath: string;
      readonly metricsToken: string;
      readonly wallTimeMs: () => number;
    },
  ) {
    const path = options.usedTokensPath;
    if (!existsSync(path)) return;
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      if (!line.endsWith('}')) continue; //                            cut short by a crash: its certificate was not given out
      const { token, key } = JSON.parse(line) as Use;
      this.usersOf(token).add(key);
    }
  }

  /** @returns a certificate, or why there is none @throws Error if the key is none */
  async enrol(token: string, role: Role, name: string, publicKey: Uint8Array): Promise<Enrolled | RefusalReason> {
    const { authority, options } = this;
    const { fingerprint: ca, run, tokenKey } = authority;
    const claims = checkToken(token, tokenKey, { ca, run, role, nowMs: options.wallTimeMs() });
    if (typeof claims === 'string') return claims;
    const key = createHash('sha256').update(publicKey).digest('hex');
    const users = this.usersOf(claims.id);
    if (!users.has(key) && users.size >= claims.uses) return 'replayed-token';
    const isNew = !users.has(key);
    users.add(key);
    try {
      const enrolled = await this.certify(role, name, publicKey);
      if (isNew) appendFileSync(options.usedTokensPath, `${JSON.stringify({ token: claims.id, key })}\n`);
      return enrolled;
    } catch (error) {
      if (isNew) users.delete(key);
      throw error;
    }
  }

  /** For whoever has shown a certificate of this role. @throws Error if the key is none */
  async certify(role: Role, name: string, publicKey: Uint8Array): Promise<Enrolled> {
    const { authority, options } = this;
    const certificate = await authority.issue({
      role,
      name: nameForCertificate(name),
      publicKey,
      hours: enrolledHours,
    });
    return { certificate, ca: authority.certificate, metricsToken: options.metricsToken };
  }

  private usersOf(token: string): Set<string> {
    let users = this.users.get(token);
    if (!users) this.users.set(token, (users = new Set()));
    return users;
  }
}

/** A name that a stranger gave: it is shown to people, and decides nothing. */
function nameForCertificate(name: string): string {
  return name.replace(/[^\w.-]/g, '_').slice(0, 60) || 'unnamed';
}
