import type { LoadedConfig, WorkerConfig } from '../../config/index.js';
import type { SecuredWorker } from '../worker-security.js';
import { hasMetricsTls, metricsAccess } from '../metrics-access.js';
import { serveMetrics } from '../serve-metrics.js';
import type { ProgramContext } from './program-context.js';

/** Where Prometheus finds this worker, from before it has found its coordinator. */
export interface Exposition {
  readonly url: string;
  readonly port: number;
  readonly hasTls: boolean;
  /** Shown by the health endpoint: what the worker is at. */
  readonly tell: (state: string) => void;
  /** The coordinator has let us in: who may read the metrics, and what they are served with. */
  readonly secure: (security: SecuredWorker | undefined) => void;
}

const joining = 'joining';

/** @throws LockstepError `PORT_IN_USE` and its like */
export async function exposeMetrics(
  { config, given }: LoadedConfig<WorkerConfig>,
  { registry, log, teardown }: ProgramContext,
): Promise<Exposition> {
  let state = joining;
  let security: SecuredWorker | undefined;
  const hasTls = hasMetricsTls(config);
  const exporter = await serveMetrics(
    {
      registry,
      health: () => ({ healthy: true, ready: state !== joining, state }),
      access: metricsAccess(config, () => security?.metricsToken),
      certificate: hasTls ? () => security?.identity.current() : undefined,
    },
    { host: config.listen, port: config.metricsPort },
    given.has('metricsPort'),
    log.info,
  );
  teardown.later(() => exporter.stop());
  const { url, port } = exporter;
  return { url, port, hasTls, tell: (now) => (state = now), secure: (known) => (security = known) };
}
