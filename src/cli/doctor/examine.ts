import { X509Certificate } from 'node:crypto';
import type { WorkerConfig } from '../../config/index.js';
import { isLoopback, parseHostPort } from '../../core/address.js';
import type { Clock } from '../../core/clock.js';
import { lockstepErrorIn } from '../../core/errors.js';
import { CertificateFolder } from '../../security/folder.js';
import type { KeptIdentity } from '../../security/identities.js';
import { readToken } from '../../security/token.js';
import { DoctorConnection } from '../../transport/grpc/doctor-client.js';
import { isNoTls, shownAt } from '../../transport/grpc/shown-certificates.js';
import { firstReachable, type Network } from '../first-reachable.js';
import { judgeCertificates, type Believed } from './certificates.js';
import { bad, good, type Finding } from './finding.js';
import { examineConnection, examinePorts } from './connection.js';

export type DoctorConfig = Pick<
  WorkerConfig,
  'coordinator' | 'listen' | 'advertise' | 'certs' | 'token' | 'insecure' | 'exchangePort'
>;

export interface DoctorNeeds {
  readonly clock: Clock;
  readonly wallTimeMs: () => number;
  readonly network: Network;
  readonly packageVersion: string;
  /** Becomes a member of the run as a worker does. @throws LockstepError why it is not let in */
  secure(address: string): Promise<KeptIdentity | undefined>;
}

/** Goes the way of a worker to its coordinator, and says of each step what came of it; ends where there is no way on. */
export async function* examine(config: DoctorConfig, needs: DoctorNeeds): AsyncIterable<Finding> {
  const address = yield* examineReach(config, needs);
  if (address === undefined) return;
  if (!(yield* examineTls(config, address, needs))) return;
  let identity: KeptIdentity | undefined;
  try {
    identity = await needs.secure(address);
    if (identity) yield ownCertificate(identity, needs);
  } catch (error) {
    yield told('admission', error);
    return;
  }
  const connection = new DoctorConnection(address, needs.clock, identity);
  try {
    if (!(yield* examineConnection(connection, needs))) return;
    yield* examinePorts(connection, config, address);
  } finally {
    connection.close();
    identity?.close();
  }
}

async function* examineReach(
  { coordinator = [] }: DoctorConfig,
  { network }: DoctorNeeds,
): AsyncGenerator<Finding, string | undefined> {
  for (const { host } of coordinator.filter((each, i, all) => all.findIndex(({ host: h }) => h === each.host) === i)) {
    try {
      yield good('name', `${host} is ${(await network.addressesOf(host)).join(', ')}`);
    } catch (error) {
      const why = (error as Error).message;
      yield bad('name', `${host} has no address (${why})`, 'check the spelling and DNS, or give the address itself');
    }
  }
  const { found, answers } = await firstReachable(coordinator, network);
  for (const { at, port, reason } of answers.filter(({ isTried }) => isTried)) {
    if (reason === undefined) yield good('port', `${at} accepts connections`);
    else if (found === undefined) yield bad('port', `${at}: ${reason}`, openPort(reason, port));
  }
  return found;
}

function openPort(reason: string, port: number): string {
  return reason === 'connection refused'
    ? `nothing listens there: start \`lockstep coordinator --listen 0.0.0.0 --port ${port}\`; by default it listens on loopback only`
    : `let TCP port ${port} of the coordinator's host in from here: a firewall or a missing route swallows what is sent`;
}

/** @returns whether both sides speak the same */
async function* examineTls(
  config: DoctorConfig,
  address: string,
  { clock, wallTimeMs }: DoctorNeeds,
): AsyncGenerator<Finding, boolean> {
  const { host } = parseHostPort(address)!;
  const isPlainMeant =
    config.insecure || (isLoopback(host) && config.certs === undefined && config.token === undefined);
  let shown: readonly X509Certificate[];
  try {
    shown = await shownAt(address, clock);
  } catch (error) {
    if (!isNoTls(error)) {
      const why = (error as Error).message;
      yield bad('tls', `no handshake: ${why}`, 'check that it is a coordinator that listens there');
      return false;
    }
    if (isPlainMeant) yield good('tls', 'none, on both sides');
    else
      yield bad(
        'tls',
        'it speaks no TLS: a coordinator on loopback or with --insecure, or another program',
        'start the coordinator without --insecure, or say --insecure here, too; check the port',
      );
    return isPlainMeant;
  }
  yield good('tls', 'it speaks TLS 1.3');
  let believed: Believed | undefined;
  try {
    believed = believedBy(config);
  } catch (error) {
    yield told('authority', error);
    return false;
  }
  if (!believed) {
    const remedy = 'give the --token that the coordinator printed, or --certs with the folder of a certificate';
    yield bad(
      'authority',
      'nothing says which coordinator to believe, and it lets nobody in without a certificate',
      remedy,
    );
    return false;
  }
  const findings = judgeCertificates(shown, believed, wallTimeMs());
  yield* findings;
  return findings.every(({ outcome }) => outcome === 'good');
}

/** @throws LockstepError `TOKEN_MALFORMED`, `CERTS_UNREADABLE` */
function believedBy({ certs, token }: DoctorConfig): Believed | undefined {
  if (certs !== undefined) {
    return { fingerprints: new CertificateFolder(certs).believedFingerprints(), from: `--certs ${certs}` };
  }
  return token === undefined ? undefined : { fingerprints: [readToken(token).ca], from: '--token' };
}

function ownCertificate(identity: KeptIdentity, { wallTimeMs }: DoctorNeeds): Finding {
  const { validTo } = new X509Certificate(identity.current().certificate);
  const hours = Math.floor((Date.parse(validTo) - wallTimeMs()) / 3_600_000);
  return hours >= 0
    ? good('own certificate', `ours is valid for another ${hours} h`, { hours })
    : bad('own certificate', `ours expired on ${validTo}`, 'renew it with `lockstep certs rotate`');
}

/** An error that a worker would end with. */
function told(check: string, error: unknown): Finding {
  const known = lockstepErrorIn(error);
  if (!known) throw error;
  return bad(check, `${known.message} [${known.code}]`, known.remedy);
}
