import { systemClock, type Clock } from '../../core/clock.js';
import { coordinatorMetrics, Registry, type CoordinatorMetrics } from '../../metrics/index.js';
import type { ProgramLog } from '../logger.js';
import { Teardown } from '../teardown.js';
import { readVersion } from '../version.js';

/** What all parts of a coordinator's program use. */
export interface ProgramContext {
  readonly registry: Registry;
  readonly metrics: CoordinatorMetrics;
  readonly clock: Clock;
  /** Since 1970. */
  readonly wallTimeMs: () => number;
  readonly log: { readonly info: (text: string) => void; readonly warn: (text: string) => void };
  /** Whatever a part opens is closed there. */
  readonly teardown: Teardown;
}

export function programContext({ logger }: ProgramLog): ProgramContext {
  const registry = new Registry();
  const metrics = coordinatorMetrics(registry);
  metrics.build.set({ version: readVersion(), node: process.versions.node, program: 'coordinator' }, 1);
  return {
    registry,
    metrics,
    clock: systemClock,
    wallTimeMs: () => Date.now(),
    log: { info: (text) => logger.info(text), warn: (text) => logger.warn(text) },
    teardown: new Teardown(),
  };
}
