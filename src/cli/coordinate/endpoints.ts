import type { CoordinatorConfig, LoadedConfig } from '../../config/index.js';
import { formatHostPort, localHost } from '../../core/address.js';
import { CoordinatorServer, type CoordinatorHandlers } from '../../transport/grpc/coordinator-server.js';
import { reachableHost, secureCoordinator, type SecuredCoordinator } from '../coordinator-security.js';
import { hasMetricsTls, metricsAccess } from '../metrics-access.js';
import { countRefusals } from '../refusals.js';
import { serveMetrics } from '../serve-metrics.js';
import { readVersion } from '../version.js';
import type { PendingCoordinator } from './pending-coordinator.js';
import type { PreparedRun } from './prepare-run.js';
import type { ProgramContext } from './program-context.js';

/** Where a run is reached: by workers over gRPC, by people and Prometheus over HTTP. */
export interface Endpoints {
  readonly server: CoordinatorServer;
  /** Absent on loopback and with --insecure. */
  readonly security: SecuredCoordinator | undefined;
  /** Of the gRPC server. */
  readonly port: number;
  /** `host:port` of it for workers on other hosts. */
  readonly reachable: string;
  /** ... as it was bound. */
  readonly bound: string;
  /** ... for workers on this host. */
  readonly local: string;
  /** URLs. */
  readonly metricsUrl: string;
  readonly pageUrl: string;
}

/** @throws LockstepError `PORT_IN_USE` and its like; as `secureCoordinator` does */
export async function openEndpoints(
  { config, given }: LoadedConfig<CoordinatorConfig>,
  { origin, prepared, live }: PreparedRun,
  pending: PendingCoordinator,
  { registry, metrics, clock, wallTimeMs, log, teardown }: ProgramContext,
): Promise<Endpoints> {
  const { runId, port: earlierPort } = origin;
  const host = await reachableHost(config);
  const security = await secureCoordinator(config, {
    ...{ runId, host, clock, wallTimeMs, log },
    onRefused: countRefusals({ metrics, log }),
  });
  teardown.later(() => security?.close());

  const access = metricsAccess(config, () => security?.metricsToken);
  const certificate = hasMetricsTls(config) ? () => security?.identity.current() : undefined;
  const exporter = await serveMetrics(
    { registry, health: () => pending.health, route: live.route, access, certificate },
    { host: config.listen, port: config.metricsPort },
    given.has('metricsPort'),
    log.info,
  );
  teardown.later(() => exporter.stop());
  teardown.later(() => live.close()); //                              before its server, which waits for those who look on

  const handlers: CoordinatorHandlers = {
    joined: (hello, channel) => pending.whenThere((coordinator) => coordinator.join(hello, channel)),
    readBlob: (sha256) => counted(prepared.readBlob(sha256), (bytes) => metrics.datasetSent.inc(bytes)),
  };
  const doctor = { packageVersion: readVersion(), wallTimeMs, clock };
  const server = new CoordinatorServer(runId, handlers, security?.server, doctor);
  const wantedPort = given.has('port') ? config.port : (earlierPort ?? config.port);
  const port = await server.start({ host: config.listen, port: wantedPort });
  teardown.later(() => server.kill());

  return {
    ...{ server, security, port },
    reachable: formatHostPort({ host, port }),
    bound: formatHostPort({ host: config.listen, port }),
    local: formatHostPort({ host: localHost(config.listen), port }),
    metricsUrl: exporter.url,
    pageUrl: pageUrl(exporter, host, access?.token()),
  };
}

/** One that can be opened: whoever listens on all networks is reached at an address in one of them. */
function pageUrl(
  { url, port }: { readonly url: string; readonly port: number },
  host: string,
  token: string | undefined,
): string {
  const { protocol } = new URL(url);
  return `${protocol}//${formatHostPort({ host, port })}/${token === undefined ? '' : `?token=${token}`}`;
}

/** Passes chunks on and counts them. */
function counted(
  chunks: AsyncIterable<Uint8Array> | undefined,
  count: (bytes: number) => void,
): AsyncIterable<Uint8Array> | undefined {
  async function* counting(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of source) {
      count(chunk.length);
      yield chunk;
    }
  }
  return chunks && counting(chunks);
}
