import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CoordinatorConfig } from '../config/index.js';
import { isLoopback, isWildcardHost, localHost } from '../core/address.js';
import { Authority } from '../security/authority.js';
import { Enrolment } from '../security/enrolment.js';
import { fault } from '../security/faults.js';
import { CertificateFolder } from '../security/folder.js';
import { FolderIdentity, issuedIdentity, type IdentityNeeds, type KeptIdentity } from '../security/identities.js';
import type { Identity, OnRefused } from '../security/identity.js';
import { newSecret } from '../security/secrets.js';
import type { GateKeeper } from '../transport/grpc/gate-server.js';
import type { CoordinatorSecurity } from '../transport/grpc/coordinator-server.js';
import { ownAddressTowards } from '../worker/own-address.js';
import { hostOfNats } from './nats-access.js';
import { outwardAddress } from './outward-address.js';

/** In the folder of a run. */
const folderName = 'security';
const authorityHours = 365 * 24;
const ownHours = 24;
/** For somebody to paste a command. */
const tokenHours = 1;

/** What a coordinator needs to speak with others than those of its own machine. */
export interface SecuredCoordinator {
  readonly server: CoordinatorSecurity;
  readonly identity: Identity;
  readonly metricsToken: string | undefined;
  /** A token for so many workers; undefined where certificates come from elsewhere. */
  token(uses: number): string | undefined;
  /** When the folder of the run is there: what was made for the run goes there, for a coordinator that takes over. */
  keepIn(out: string): Promise<void>;
  close(): void;
}

interface Needs extends IdentityNeeds {
  readonly runId: string;
  /** Where others reach this coordinator: stands in its certificate, for browsers. */
  readonly host: string;
  readonly onRefused: OnRefused;
}

/**
 * The certificates of a coordinator: those of --certs, those that an earlier coordinator of the run left in its folder, or,
 * if it listens beyond this machine, new ones.
 *
 * @returns undefined where nothing of that is wanted: on loopback, and with --insecure
 * @throws LockstepError `NOT_SECURED`, `CERTS_UNREADABLE`
 */
export async function secureCoordinator(
  config: CoordinatorConfig,
  needs: Needs,
): Promise<SecuredCoordinator | undefined> {
  if (config.certs !== undefined) return withFolder(new CertificateFolder(config.certs), needs);
  if (isLoopback(config.listen)) return undefined;
  if (config.insecure) {
    needs.log.warn(
      `--insecure: whoever reaches ${config.listen} can read and change the run, connections are neither encrypted nor authenticated`,
    );
    return undefined;
  }
  const earlier = config.resume ?? (config.restore ? config.out : undefined);
  const left = earlier === undefined ? undefined : join(earlier, folderName);
  if (left !== undefined && existsSync(left)) return withFolder(new CertificateFolder(left), needs);
  return withNewAuthority(needs);
}

/**
 * Before anything is started: whoever takes over from another machine, by way of NATS, has not got what we would make here.
 *
 * @throws LockstepError `NOT_SECURED`
 */
export function checkSecurable({ listen, nats, insecure, certs }: CoordinatorConfig): void {
  if (nats === undefined || insecure || certs !== undefined || isLoopback(listen)) return;
  throw fault('NOT_SECURED', { where: `--listen ${listen} with --nats` });
}

/** An address of nobody, in the block for documentation: the route to it is the one to the rest of the world. */
const elsewhere = { host: '192.0.2.1', port: 7070 };

/**
 * For what is printed and what NATS is told: where others reach us. On a host with several networks that is the address in
 * the one of NATS, which all of the run reach, or else in the one of the route to the world.
 */
export async function reachableHost({
  listen,
  advertise,
  nats,
}: Pick<CoordinatorConfig, 'listen' | 'advertise' | 'nats'>): Promise<string> {
  if (advertise !== undefined || !isWildcardHost(listen)) return advertise ?? listen;
  const towards = nats === undefined ? elsewhere : hostOfNats(nats);
  const routed = await ownAddressTowards(towards).catch(() => undefined); // without a route there may be addresses yet
  return outwardAddress(listen, routed) ?? localHost(listen);
}

async function withFolder(folder: CertificateFolder, needs: Needs): Promise<SecuredCoordinator> {
  const metricsToken = folder.metricsToken();
  if (!folder.hasAuthority) {
    const identity = new FolderIdentity(folder, 'coordinator', needs);
    return secured(identity, needs, { metricsToken });
  }
  const authority = folder.authority(needs.wallTimeMs);
  const usedTokensPath = () => folder.usedTokensPath;
  return secured(await ownIdentity(authority, needs), needs, { metricsToken, authority, usedTokensPath });
}

async function withNewAuthority(needs: Needs): Promise<SecuredCoordinator> {
  const { authority, key } = await Authority.create(needs.runId, authorityHours, needs.wallTimeMs);
  const metricsToken = newSecret();
  let folder: CertificateFolder | undefined;
  const identity = await ownIdentity(authority, needs);
  const usedTokensPath = (): string | undefined => folder?.usedTokensPath;
  return {
    ...secured(identity, needs, { metricsToken, authority, usedTokensPath }),
    async keepIn(out) {
      folder = await CertificateFolder.create(join(out, folderName), { authority, key, metricsToken });
    },
  };
}

function ownIdentity(authority: Authority, needs: Needs): Promise<KeptIdentity> {
  const hosts = [...new Set([needs.host, 'localhost', '127.0.0.1', '::1'])];
  return issuedIdentity(authority, { role: 'coordinator', name: 'coordinator', hours: ownHours, hosts }, needs);
}

interface Issuing {
  readonly metricsToken: string | undefined;
  readonly authority?: Authority;
  readonly usedTokensPath?: () => string | undefined;
}

function secured(identity: KeptIdentity, needs: Needs, issuing: Issuing): SecuredCoordinator {
  const { authority, metricsToken } = issuing;
  return {
    identity,
    metricsToken,
    server: { identity, onRefused: needs.onRefused, keeper: authority && keeperOf(authority, needs, issuing) },
    token: (uses) => authority?.token('worker', uses, tokenHours),
    keepIn: () => Promise.resolve(),
    close: () => identity.close(),
  };
}

function keeperOf(
  authority: Authority,
  { wallTimeMs }: Needs,
  { metricsToken = '', usedTokensPath }: Issuing,
): GateKeeper {
  let made: Enrolment | undefined;
  // Not before the first one asks: the run's folder, where it remembers who did, is made after the server listens.
  const enrolment = (): Enrolment =>
    (made ??= new Enrolment(authority, { usedTokensPath: usedTokensPath?.() ?? '', metricsToken, wallTimeMs }));
  return {
    enrol: (token, name, publicKey) => enrolment().enrol(token, 'worker', name, publicKey),
    renew: (name, publicKey) => enrolment().certify('worker', name, publicKey),
  };
}
