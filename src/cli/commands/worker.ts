import { hostname } from 'node:os';
import { lockstepErrorIn } from '../../core/errors.js';
import { Cache } from '../../data/cache.js';
import type { Worker } from '../../worker/worker.js';
import type { CommandRun } from '../context.js';
import { createLog } from '../logger.js';
import { onSignals } from '../signals.js';
import { findSupervisor } from '../supervisor.js';
import { exposeMetrics } from '../worker/exposition.js';
import { meetCoordinator } from '../worker/meet-coordinator.js';
import { membersOf } from '../worker/members.js';
import { programContext } from '../worker/program-context.js';

/**
 * `lockstep worker`: its metrics can be read, its coordinator is found, and it is a member of the run until nobody needs it
 * any more. What is opened on the way is closed in the opposite order.
 */
export const run: CommandRun<'worker'> = async (loaded, { stderr, environment }) => {
  const { config } = loaded;
  const supervisor = findSupervisor();
  const name = config.name ?? hostname();
  const programLog = createLog({ program: name, level: config.logLevel ?? 'info', stderr, environment });
  const context = programContext(name, config, programLog, environment);
  const { log, teardown } = context;
  try {
    const { cacheFolder: folder, wallTimeMs } = context;
    const cache = await Cache.open({ folder, limitBytes: config.cacheLimitGiB * 2 ** 30, wallTimeMs });
    const exposition = await exposeMetrics(loaded, context);
    let current: Worker | undefined;
    const leave = (): void => (current ? current.leave() : process.exit(130));
    teardown.later(onSignals(leave, () => process.exit(130)));
    const met = await meetCoordinator(config, context);
    exposition.secure(met.security);
    log.info(`joining the run at ${met.address}, metrics on ${exposition.url}`);
    const nextMember = await membersOf(loaded, met, { cache, exposition }, context);
    for (;;) {
      current = nextMember();
      try {
        await current.work();
        log.info('nothing more to do here');
        return 0;
      } catch (error) {
        if (lockstepErrorIn(error)?.code !== 'DROPPED') throw error;
        log.warn(`${(error as Error).message}; joining again as a new member`);
      }
    }
  } finally {
    await teardown.run();
    supervisor?.release();
  }
};
