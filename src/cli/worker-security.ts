import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { WorkerConfig } from '../config/index.js';
import { isLoopback } from '../core/address.js';
import type { Clock } from '../core/clock.js';
import type { Authority } from '../security/authority.js';
import { fault } from '../security/faults.js';
import { CertificateFolder } from '../security/folder.js';
import {
  FolderIdentity,
  issuedIdentity,
  RenewingIdentity,
  type IdentityNeeds,
  type KeptIdentity,
} from '../security/identities.js';
import { newKeyPair } from '../security/secrets.js';
import { readToken } from '../security/token.js';
import { enrol, renew } from '../transport/grpc/gate-client.js';

const ownHours = 24;

export interface SecuredWorker {
  readonly identity: KeptIdentity;
  readonly metricsToken: string | undefined;
}

interface Needs extends IdentityNeeds {
  readonly clock: Clock;
  readonly name: string;
  /** Of this user: what a token was exchanged for is kept there. */
  readonly cacheFolder: string;
  /** Where the coordinator is now. */
  findCoordinator(): Promise<string>;
}

/**
 * The certificate of a worker: that of --certs, or the one that the coordinator gives for --token.
 *
 * @returns undefined where none is needed: both ends on loopback, or --insecure
 * @throws LockstepError `NOT_SECURED`, `CERTS_UNREADABLE`, and what `enrol` throws
 */
export async function secureWorker(config: WorkerConfig, needs: Needs): Promise<SecuredWorker | undefined> {
  if (config.certs !== undefined) return fromFolder(new CertificateFolder(config.certs), needs);
  if (config.token !== undefined) return withToken(config.token, needs);
  const host = config.coordinator?.find((each) => !isLoopback(each.host))?.host;
  const beyond = !isLoopback(config.listen)
    ? `--listen ${config.listen}`
    : host !== undefined
      ? `--coordinator ${host}`
      : undefined;
  if (beyond === undefined) return undefined;
  if (!config.insecure) throw fault('NOT_SECURED', { where: beyond });
  needs.log.warn('--insecure: connections are neither encrypted nor authenticated');
  return undefined;
}

async function fromFolder(folder: CertificateFolder, needs: Needs): Promise<SecuredWorker> {
  const metricsToken = folder.metricsToken();
  if (!folder.hasAuthority) return { identity: new FolderIdentity(folder, 'worker', needs), metricsToken };
  const authority: Authority = folder.authority(needs.wallTimeMs);
  return {
    identity: await issuedIdentity(authority, { role: 'worker', name: needs.name, hours: ownHours }, needs),
    metricsToken,
  };
}

/** A worker that is started again with the same token has its certificate: the token may be used up, or over. */
async function withToken(token: string, needs: Needs): Promise<SecuredWorker> {
  const { name, clock, log } = needs;
  const { id } = readToken(token);
  const key = createHash('sha256').update(`${id}\n${name}`).digest('hex').slice(0, 24);
  const folder = new CertificateFolder(join(needs.cacheFolder, 'identities', key));
  let first = folder.validCredentials('worker', needs.wallTimeMs());
  let metricsToken = folder.metricsToken();
  if (!first) {
    const pair = newKeyPair();
    const answer = await enrol(await needs.findCoordinator(), token, { name, publicKey: pair.publicKey }, clock);
    first = { ca: answer.ca, certificate: answer.certificate, key: pair.key };
    metricsToken = answer.metricsToken;
    await folder.store(first, metricsToken);
    log.info('the coordinator took the token and gave a certificate');
  }
  const identity: RenewingIdentity = new RenewingIdentity(
    first,
    async (publicKey) => renew(await needs.findCoordinator(), identity, { name, publicKey }, clock),
    needs,
  );
  identity.onChange(() => void folder.store(identity.current(), metricsToken).catch(() => undefined)); // only a convenience
  return { identity, metricsToken };
}
