import type { X509Certificate } from 'node:crypto';
import { fingerprintOf } from '../../security/authority.js';
import { certificateName } from '../../security/identity.js';
import { bad, good, type Finding } from './finding.js';

const hourMs = 3_600_000;

/** Whom the worker believes: the authority of its run, or several while one follows another. */
export interface Believed {
  readonly fingerprints: readonly string[];
  /** Where it is known from: `--token`, `--certs DIR`. */
  readonly from: string;
}

/**
 * What is to be said of the certificates that a coordinator shows: who issued them, until when they are valid, and for whom.
 *
 * @param shown - its own first
 */
export function judgeCertificates(
  shown: readonly X509Certificate[],
  { fingerprints, from }: Believed,
  nowMs: number,
): readonly Finding[] {
  const [own] = shown;
  const authority = shown.find(({ raw }) => fingerprints.includes(fingerprintOf(raw)));
  const short = (fingerprints[0] ?? '').slice(0, 12);
  if (!own) return [bad('chain', 'it shows no certificate', 'start the coordinator again with its --certs')];
  if (!authority || !own.verify(authority.publicKey)) {
    const issuer = oneLine(shown.at(-1)?.subject ?? '');
    return [
      bad(
        'chain',
        `its certificate comes from another authority (${issuer}) than that of ${from} (sha256 ${short})`,
        `the token or the certificates are of another run, or somebody else listens there: take them from this coordinator`,
      ),
    ];
  }
  return [
    good('chain', `its certificate comes from the authority of ${from} (sha256 ${short})`),
    judgeTime(own, nowMs),
    own.checkHost(certificateName('coordinator')) === undefined
      ? bad(
          'role',
          `its certificate is not that of a coordinator (${oneLine(own.subjectAltName ?? own.subject)})`,
          'give the coordinator a certificate of its own: `lockstep certs issue --role coordinator`',
        )
      : good('role', 'its certificate is that of a coordinator'),
  ];
}

function judgeTime(certificate: X509Certificate, nowMs: number): Finding {
  const [fromMs, untilMs] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const remedy = 'renew it with `lockstep certs rotate`; if it is new, compare the clocks of both hosts';
  if (nowMs > untilMs) return bad('expiry', `its certificate expired on ${certificate.validTo}`, remedy);
  if (nowMs < fromMs) return bad('expiry', `its certificate is valid only from ${certificate.validFrom} on`, remedy);
  const hours = Math.floor((untilMs - nowMs) / hourMs);
  return good('expiry', `its certificate is valid for another ${hours} h`, { hours });
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ', ');
}
