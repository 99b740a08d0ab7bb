import { createHmac } from 'node:crypto';
import type { RefusalReason } from '../core/refusals.js';
import { isSameSecret } from '../core/secret.js';
import { fault } from './faults.js';
import { roles, type Role } from './identity.js';

/** What a join token says. Its holder may exchange it for a certificate. */
export interface TokenClaims {
  /** SHA-256 of the authority's certificate, hexadecimal: with it the holder knows whom to believe. */
  readonly ca: string;
  readonly run: string;
  readonly role: Role;
  /** Tells tokens apart. */
  readonly id: string;
  /** How many keys may get a certificate with it. */
  readonly uses: number;
  /** Seconds since 1970. */
  readonly expires: number;
}

const prefix = 'lockstep1';

/** @param key - known to the authority alone */
export function formatToken(claims: TokenClaims, key: Uint8Array): string {
  const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
  return `${prefix}.${body}.${mac(body, key)}`;
}

/** What a token says of itself, unchecked: for its holder, who cannot check it. @throws LockstepError `TOKEN_MALFORMED` */
export function readToken(token: string): TokenClaims {
  const claims = parse(token);
  if (!claims) throw fault('TOKEN_MALFORMED', { given: token.length > 24 ? `${token.slice(0, 20)}...` : token });
  return claims;
}

/** @returns the claims of a token that was made with this key, or why it does not count */
export function checkToken(
  token: string,
  key: Uint8Array,
  expected: { readonly ca: string; readonly run: string; readonly role: Role; readonly nowMs: number },
): TokenClaims | RefusalReason {
  const [, body = '', given = ''] = token.split('.');
  if (!isSameSecret(given, mac(body, key))) return 'wrong-token';
  const claims = parse(token);
  if (!claims) return 'wrong-token';
  if (claims.run !== expected.run || claims.ca !== expected.ca || claims.role !== expected.role) return 'other-run';
  return claims.expires * 1000 <= expected.nowMs ? 'expired-token' : claims;
}

function mac(body: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(`${prefix}.${body}`).digest('base64url');
}

function parse(token: string): TokenClaims | undefined {
  const parts = token.split('.');
  if (parts.length !== 3 || parts[0] !== prefix) return undefined;
  try {
    const claims = JSON.parse(Buffer.from(parts[1]!, 'base64url').toString()) as Partial<
      Record<keyof TokenClaims, unknown>
    >;
    const { ca, run, role, id, uses, expires } = claims;
    const isWhole =
      typeof ca === 'string' &&
      typeof run === 'string' &&
      typeof id === 'string' &&
      roles.some((known) => known === role) &&
      Number.isSafeInteger(uses) &&
      Number.isSafeInteger(expires);
    return isWhole ? (claims as TokenClaims) : undefined;
  } catch {
    return undefined;
  }
}
