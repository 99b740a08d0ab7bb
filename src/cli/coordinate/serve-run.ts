import type { CoordinatorConfig, LoadedConfig } from '../../config/index.js';
import { Coordinator } from '../../coordinator/coordinator.js';
import type { ProgramLog } from '../logger.js';
import { shellWord } from '../shell-word.js';
import { openEndpoints, type Endpoints } from './endpoints.js';
import { openExchange } from './exchange.js';
import { PendingCoordinator } from './pending-coordinator.js';
import type { PreparedRun } from './prepare-run.js';
import type { ProgramContext } from './program-context.js';
import { openRecords } from './records.js';

/** A run that workers can join. */
export interface ServedRun {
  readonly coordinator: Coordinator;
  readonly endpoints: Endpoints;
  /** The run's folder. */
  readonly folder: string;
  /** Workers that have called are let in from now on. */
  readonly begin: () => void;
  /** Ends the run; probes and balancers send nobody here any more. */
  readonly drain: (reason: string) => void;
}

/**
 * Ports first, then the folder, then the coordinator, for which those wait who have called meanwhile.
 *
 * @param command - that would continue the run, without its folder
 * @throws LockstepError for a port or a folder that cannot be had
 */
export async function serveRun(
  loaded: LoadedConfig<CoordinatorConfig>,
  run: PreparedRun,
  { programLog, command }: { readonly programLog: ProgramLog; readonly command: 'train' | 'coordinator' },
  context: ProgramContext,
): Promise<ServedRun> {
  const { config } = loaded;
  const { prepared, live, show } = run;
  const { out } = run.origin;
  const { clock, log } = context;
  const pending = new PendingCoordinator();
  const endpoints = await openEndpoints(loaded, run, pending, context);
  const { folder, store, earlier, begin } = await openRecords(config, run, { endpoints, programLog }, context);
  const exchange = await openExchange(loaded, prepared, { security: endpoints.security, pending }, context);
  await begin();
  const coordinator = new Coordinator(
    { ...prepared, store, ...exchange, clock, show, watch: live.watch, log },
    {
      worldSize: config.workers,
      minWorkers: config.minWorkers,
      maxWorkers: config.maxWorkers,
      joinTimeoutSeconds: config.joinTimeoutSeconds,
      out,
      earlier,
      resumeWith: `lockstep ${command} --resume ${shellWord(out)}`,
    },
  );
  return {
    ...{ coordinator, endpoints, folder: folder.path },
    begin() {
      pending.begin(coordinator);
      void endpoints.server.serving(true);
    },
    drain(reason) {
      pending.drain();
      void endpoints.server.serving(false);
      coordinator.stop(reason);
    },
  };
}
