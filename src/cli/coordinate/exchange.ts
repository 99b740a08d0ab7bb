import type { CoordinatorConfig, LoadedConfig } from '../../config/index.js';
import type { CoordinatorDependencies } from '../../coordinator/coordinator-options.js';
import { Hub } from '../../coordinator/hub.js';
import type { PreparedSpec } from '../../coordinator/prepare.js';
import { ExchangeClients } from '../../transport/grpc/exchange-client.js';
import type { SecuredCoordinator } from '../coordinator-security.js';
import type { PendingCoordinator } from './pending-coordinator.js';
import type { ProgramContext } from './program-context.js';

interface ExchangeNeeds {
  readonly security: SecuredCoordinator | undefined;
  readonly pending: PendingCoordinator;
}

/** How states come from workers: over connections to them, or, in a star, over those that they lend the hub. */
export async function openExchange(
  { config, given }: LoadedConfig<CoordinatorConfig>,
  { spec, layout }: PreparedSpec,
  { security, pending }: ExchangeNeeds,
  { clock, teardown }: ProgramContext,
): Promise<Pick<CoordinatorDependencies, 'peers' | 'hub'>> {
  if (spec.topology !== 'star') {
    const peers = new ExchangeClients(spec.runId, clock, security?.identity);
    teardown.later(() => peers.close());
    return { peers };
  }
  const hub = await Hub.start(
    {
      ...{ spec, layout, clock, security: security?.server },
      lost: (workerId, reason) => pending.whenThere((coordinator) => coordinator.lostByHub(workerId, reason)),
      fail: (error) => pending.whenThere((coordinator) => coordinator.fail(error)),
    },
    { host: config.listen, port: config.exchangePort },
    given.has('exchangePort'),
  );
  teardown.later(() => hub.close());
  return { peers: hub, hub };
}
