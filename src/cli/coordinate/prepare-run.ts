import { specOf, type CoordinatorConfig } from '../../config/index.js';
import type { PreparedSpec } from '../../coordinator/prepare.js';
import type { OpenModule } from '../../coordinator/run-module.js';
import type { RunEvent } from '../../core/events.js';
import { LiveRun } from '../live-run.js';
import type { RunView } from '../view/run-view.js';
import type { ProgramContext } from './program-context.js';
import type { RunOrigin } from './run-origin.js';

/** A run that can start, and whoever looks on. */
export interface PreparedRun {
  readonly origin: RunOrigin;
  readonly prepared: PreparedSpec;
  /** The configuration of the run, as it is written down. */
  readonly specification: Readonly<Record<string, unknown>>;
  readonly live: LiveRun;
  /** Shows an event to everybody. */
  readonly show: (event: RunEvent) => void;
}

/** Nothing is served or written before this is done. @throws LockstepError for the first thing that is wrong */
export async function prepareRun(
  config: CoordinatorConfig,
  origin: RunOrigin,
  { view, openModule }: { readonly view: RunView; readonly openModule?: OpenModule | undefined },
  context: ProgramContext,
): Promise<PreparedRun> {
  const { registry, metrics, log } = context;
  const { runId } = origin;
  const prepared = await origin.prepare(openModule, log.warn);
  registry.setDefaultLabels({ run: runId });
  metrics.wantedWorkers.set(config.workers);
  const specification = specOf(config, { microBatchSize: prepared.spec.microBatchSize });
  const live = new LiveRun({ ...context, runId, config: specification });
  if (config.trace !== undefined) await live.traceTo(config.trace);
  const show = (event: RunEvent): void => {
    live.observe(event);
    view.show(event);
  };
  return { origin, prepared, specification, live, show };
}
