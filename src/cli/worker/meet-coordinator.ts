import type { WorkerConfig } from '../../config/index.js';
import { CoordinatorConnection } from '../../transport/grpc/coordinator-client.js';
import { locator, type Locator } from '../locator.js';
import { secureWorker, type SecuredWorker } from '../worker-security.js';
import type { ProgramContext } from './program-context.js';

export interface MetCoordinator {
  /** Where it was, `host:port`. */
  readonly address: string;
  /** Finds it again, wherever it is by then. */
  readonly whereabouts: Locator;
  /** Absent where both ends are on loopback, and with --insecure. */
  readonly security: SecuredWorker | undefined;
}

/**
 * Finds the coordinator, is let in, and makes sure that it answers.
 *
 * @throws LockstepError what `locator`, `secureWorker` and `CoordinatorConnection.reach` throw, after --join-timeout
 */
export async function meetCoordinator(
  config: WorkerConfig,
  { name, cacheFolder, metrics, clock, wallTimeMs, log, teardown }: ProgramContext,
): Promise<MetCoordinator> {
  const timeoutSeconds = config.joinTimeoutSeconds;
  const onReach = (isReached: boolean): void => metrics.natsUnreachable.set(isReached ? 0 : 1);
  const whereabouts = await locator(config, { log, onReach });
  teardown.later(() => whereabouts.close());
  const address = await whereabouts.wait(timeoutSeconds, clock, () =>
    log.warn(`${whereabouts.notYet}; trying for ${timeoutSeconds} s`),
  );
  const findCoordinator = (): Promise<string> => whereabouts.find();
  const security = await secureWorker(config, { clock, wallTimeMs, log, name, cacheFolder, findCoordinator });
  teardown.later(() => security?.identity.close());
  const connection = new CoordinatorConnection(address, clock, security?.identity);
  try {
    await connection.reach(timeoutSeconds, () =>
      log.warn(`nobody answers at ${address} yet; trying for ${timeoutSeconds} s`),
    );
  } finally {
    connection.close();
  }
  return { address, whereabouts, security };
}
