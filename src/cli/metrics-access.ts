import { readFileSync } from 'node:fs';
import { isLoopback } from '../core/address.js';
import type { Access } from '../metrics/index.js';
import { fault } from '../security/faults.js';

interface AccessOptions {
  readonly listen: string;
  readonly insecure: boolean;
  readonly metricsTls: boolean;
  readonly metricsTokenFile?: string | undefined;
}

/**
 * Who may read metrics and the live page: on loopback and with --insecure everybody, elsewhere whoever shows the token.
 *
 * @param known - the token of the run, when it is known
 * @throws LockstepError `CERTS_UNREADABLE` if the file of the token cannot be read
 */
export function metricsAccess(options: AccessOptions, known: () => string | undefined): Access | undefined {
  const { listen, insecure, metricsTokenFile: path } = options;
  if (path !== undefined) {
    const token = read(path);
    return { token: () => token };
  }
  return insecure || isLoopback(listen) ? undefined : { token: known };
}

/** Whether metrics and the live page are served with TLS, by the certificate of the run. */
export function hasMetricsTls({ listen, insecure, metricsTls }: AccessOptions): boolean {
  return metricsTls && !insecure && !isLoopback(listen);
}

function read(path: string): string {
  try {
    const token = readFileSync(path, 'utf8').trim();
    if (token === '') throw new Error('it is empty');
    return token;
  } catch (error) {
    throw fault('CERTS_UNREADABLE', { path, reason: (error as Error).message }, error);
  }
}
