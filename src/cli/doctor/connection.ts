import { createServer } from 'node:net';
import { isWildcardHost, parseHostPort } from '../../core/address.js';
import type { Clock } from '../../core/clock.js';
import { numericsVersion, protocolVersion } from '../../core/versions.js';
import { isUnknownCall, type DoctorConnection } from '../../transport/grpc/doctor-client.js';
import { ownAddressTowards } from '../../worker/own-address.js';
import { bad, good, note, type Finding } from './finding.js';

/** Round trips of which the fastest counts: the others waited for something. */
const greetings = 8;
/** Join tokens and certificates say from when to when they are valid. */
const clockToleranceMs = 60_000;
const downloadBytes = 64 * 1024 * 1024;
const downloadMs = 2_000;

export interface ConnectionNeeds {
  readonly clock: Clock;
  readonly wallTimeMs: () => number;
  readonly packageVersion: string;
}

/** Versions, clocks, round trips and bandwidth. @returns whether a worker could work there */
export async function* examineConnection(
  connection: DoctorConnection,
  { clock, wallTimeMs, packageVersion }: ConnectionNeeds,
): AsyncGenerator<Finding, boolean> {
  let rttMs = Infinity;
  let aheadMs = 0;
  let theirs: Awaited<ReturnType<DoctorConnection['greet']>> | undefined;
  try {
    for (let i = 0; i < greetings; i++) {
      const [sentMs, sentWallMs] = [clock.nowMs(), wallTimeMs()];
      theirs = await connection.greet();
      const tookMs = clock.nowMs() - sentMs;
      if (tookMs < rttMs) [rttMs, aheadMs] = [tookMs, theirs.wallTimeMs - (sentWallMs + tookMs / 2)];
    }
  } catch (error) {
    const why = (error as Error).message;
    yield isUnknownCall(error)
      ? bad('versions', `it does not know this question (${why})`, 'install the same version of lockstep on both hosts')
      : bad('versions', `it does not answer: ${why}`, 'check that it is a coordinator that listens there');
    return false;
  }
  const versions = judgeVersions(packageVersion, theirs!);
  yield versions;
  const ahead = `${Math.abs(aheadMs).toFixed(0)} ms ${aheadMs > 0 ? 'behind' : 'ahead of'} the coordinator's`;
  yield Math.abs(aheadMs) <= clockToleranceMs
    ? good('clock', `ours is ${ahead}`, { aheadMs: Math.round(-aheadMs) })
    : bad('clock', `ours is ${ahead}`, 'set both clocks with NTP: certificates and tokens have times');
  yield good('round trip', `${rttMs.toFixed(2)} ms`, { rttMs });
  yield await examineBandwidth(connection);
  return versions.outcome !== 'bad';
}

function judgeVersions(
  packageVersion: string,
  theirs: { packageVersion: string; protocolVersion: number; numericsVersion: number; runId: string },
): Finding {
  const ours = { package: packageVersion, protocol: protocolVersion, numerics: numericsVersion };
  const differing = [
    { what: 'protocol', here: ours.protocol, there: theirs.protocolVersion },
    { what: 'numerics', here: ours.numerics, there: theirs.numericsVersion },
  ].filter(({ here, there }) => here !== there);
  const same = 'install the same version of lockstep on both hosts';
  if (differing.length > 0) {
    const words = differing.map(({ what, here, there }) => `${what} ${here} here and ${there} there`).join(', ');
    return bad('versions', `${words} (lockstep ${ours.package} and ${theirs.packageVersion})`, same);
  }
  const words = `protocol ${ours.protocol}, numerics ${ours.numerics}, as in run ${theirs.runId}`;
  return ours.package === theirs.packageVersion
    ? good('versions', `lockstep ${ours.package}, ${words}`, ours)
    : note('versions', `lockstep ${ours.package} here and ${theirs.packageVersion} there; ${words}`, same);
}

async function examineBandwidth(connection: DoctorConnection): Promise<Finding> {
  try {
    const { bytes, ms } = await connection.download(downloadBytes, downloadMs);
    const megabytesPerSecond = ms > 0 ? bytes / 1e6 / (ms / 1e3) : 0;
    const says = `${megabytesPerSecond.toFixed(0)} MB/s from the coordinator (${(bytes / 1e6).toFixed(0)} MB, as a worker receives them)`;
    return good('bandwidth', says, { bytes, milliseconds: Math.round(ms), megabytesPerSecond });
  } catch (error) {
    return note('bandwidth', `not measured: ${(error as Error).message}`, 'try again later');
  }
}

export interface PortsConfig {
  readonly listen: string;
  readonly advertise?: string | undefined;
  readonly exchangePort: number;
}

/** The port for other workers: whether it is free, and whether the coordinator's host, as one of the others, reaches it. */
export async function* examinePorts(
  connection: DoctorConnection,
  { listen, advertise, exchangePort }: PortsConfig,
  address: string,
): AsyncGenerator<Finding, void> {
  const server = createServer((socket) => socket.destroy());
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(exchangePort, listen, resolve);
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const says = `port ${exchangePort} of ${listen} is not free (${code ?? message})`;
    yield note(
      'peer port',
      says,
      'a worker takes any free one then: choose one with --exchange-port that the other hosts reach',
    );
    return;
  }
  try {
    const { port } = server.address() as { port: number };
    yield good('peer port', `port ${port} of ${listen} is free for the exchange with other workers`, { port });
    const { seenAt } = await connection.greet();
    const own = advertise ?? (isWildcardHost(listen) ? await ownAddressTowards(parseHostPort(address)!) : listen);
    const reason = await connection.knock(port);
    const open = `let TCP port ${port} of this host in from the other hosts, or start the coordinator with --topology star, for workers that can only dial out`;
    if (reason !== '')
      yield bad('way back', `the coordinator's host does not reach ${seenAt}:${port}: ${reason}`, open);
    else if (advertise === undefined && own !== seenAt)
      yield note(
        'way back',
        `it reaches us at ${seenAt}:${port}, but a worker would say ${own}`,
        `start the worker with --advertise ${seenAt} if the other hosts see it there, too`,
      );
    else yield good('way back', `the coordinator's host reaches us at ${seenAt}:${port}`);
  } catch (error) {
    yield note('way back', `not tried: ${(error as Error).message}`, 'try again later');
  } finally {
    server.close();
  }
}
