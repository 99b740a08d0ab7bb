import { Authority } from '../security/authority.js';
import { newSecret } from '../security/secrets.js';
import type { RunSecrets } from '../transport/nats/run-ledger.js';

/** Longer than a run may wait in the queue and go on. */
const authorityHours = 90 * 24;

/** An authority of the run's own, and a token for whoever reads its metrics. */
export async function newRunSecrets(run: string, wallTimeMs: () => number): Promise<RunSecrets> {
  const { authority, key } = await Authority.create(run, authorityHours, wallTimeMs);
  return { ca: authority.certificate, key, metricsToken: newSecret() };
}
