import { systemClock, type Clock } from '../../core/clock.js';
import type { WorkerConfig } from '../../config/index.js';
import { defaultCacheFolder } from '../../data/cache.js';
import { Registry, workerMetrics, type WorkerMetrics } from '../../metrics/index.js';
import type { ProgramLog } from '../logger.js';
import { Teardown } from '../teardown.js';
import { readVersion } from '../version.js';

/** What all parts of a worker's program use. */
export interface ProgramContext {
  /** Of the worker, as people know it. */
  readonly name: string;
  readonly cacheFolder: string;
  readonly registry: Registry;
  readonly metrics: WorkerMetrics;
  readonly clock: Clock;
  /** Since 1970. */
  readonly wallTimeMs: () => number;
  readonly log: Record<'debug' | 'info' | 'warn', (text: string) => void>;
  /** Whatever a part opens is closed there. */
  readonly teardown: Teardown;
}

export function programContext(
  name: string,
  config: WorkerConfig,
  { logger, close }: ProgramLog,
  environment: NodeJS.ProcessEnv,
): ProgramContext {
  const registry = new Registry();
  const metrics = workerMetrics(registry);
  metrics.build.set({ version: readVersion(), node: process.versions.node, program: 'worker' }, 1);
  const teardown = new Teardown();
  teardown.later(close);
  return {
    name,
    cacheFolder: config.cacheDir ?? defaultCacheFolder(environment),
    registry,
    metrics,
    clock: systemClock,
    wallTimeMs: () => Date.now(),
    log: {
      debug: (text) => logger.debug(text),
      info: (text) => logger.info(text),
      warn: (text) => logger.warn(text),
    },
    teardown,
  };
}
