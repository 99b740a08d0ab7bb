import { readFileSync } from 'node:fs';
import { fault } from '../security/faults.js';

/** Of commands that look at a run over HTTPS. */
export interface TrustOptions {
  /** A file. */
  readonly ca?: string;
}

/** @returns PEM @throws LockstepError `CERTS_UNREADABLE` */
export function authorityIn({ ca: path }: TrustOptions): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fault('CERTS_UNREADABLE', { path, reason: (error as NodeJS.ErrnoException).code ?? String(error) }, error);
  }
}
