/** Who a program is to the others of its run, and whom it takes for one of them. */
import type { RefusalReason } from '../core/refusals.js';

/** What a certificate allows: to lead a run, or to work in it. */
export const roles = ['coordinator', 'worker'] as const;
export type Role = (typeof roles)[number];

/** All of it is PEM. */
export interface Credentials {
  /** The authorities whose certificates are believed: those of this run. */
  readonly ca: string;
  /** Our own, and behind it that of the authority. */
  readonly certificate: string;
  readonly key: string;
}

/** Credentials that are renewed while the program runs. */
export interface Identity {
  /** Those of now: for each new connection they are asked for again. */
  current(): Credentials;
  /** Called after each change. */
  onChange(listener: () => void): void;
}

/**
 * The name that stands in the certificates of a role. A certificate is not of a host: addresses change while a run goes on,
 * and what matters is whether the other one belongs to the run and what it is there.
 */
export function certificateName(role: Role): string {
  return `${role}.lockstep`;
}

/** Stands in the certificates of all roles: whoever reads metrics looks for one name at all programs of a run. */
export const metricsName = 'metrics.lockstep';

/** The same for a person. */
export const refusalInWords: Readonly<Record<RefusalReason, string>> = {
  'plain-text': 'it does not speak TLS',
  'no-certificate': 'it showed no certificate',
  'other-authority': 'its certificate is not one of this run',
  'expired-certificate': 'its certificate has expired, or is not valid yet',
  'wrong-role': 'its certificate is for another role',
  'wrong-token': 'its token was not made here, or was changed',
  'other-run': 'its token is for another run or role',
  'expired-token': 'its token has expired',
  'replayed-token': 'its token was used as often as it may be',
  'too-many': 'too many ask at once',
  handshake: 'its handshake failed',
};

/** @param from - address of whoever was refused */
export type OnRefused = (reason: RefusalReason, from: string) => void;
