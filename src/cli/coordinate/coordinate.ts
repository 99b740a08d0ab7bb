import type { CoordinatorConfig, LoadedConfig } from '../../config/index.js';
import type { OpenModule } from '../../coordinator/run-module.js';
import { lockstepErrorIn, type ExitCode } from '../../core/errors.js';
import { checkSecurable } from '../coordinator-security.js';
import type { ProgramLog } from '../logger.js';
import type { Supervisor } from '../supervisor.js';
import type { RunView } from '../view/run-view.js';
import { announce } from './announce.js';
import { prepareRun } from './prepare-run.js';
import { programContext } from './program-context.js';
import { RunOrigin } from './run-origin.js';
import { serveRun } from './serve-run.js';

/** How long workers may take to hear that the run is over. */
const farewellMs = 2_000;

/** Where a coordinator runs, and who looks on. */
export interface CoordinatorSurroundings {
  readonly view: RunView;
  readonly log: ProgramLog;
  /** Whoever started its workers. */
  readonly supervisor: Supervisor | undefined;
  /** Listens for people who want the run to end. @returns stops listening */
  readonly listen: (stop: (reason: string) => void) => () => void;
  /** For a run that is not all in a module. */
  readonly openModule?: OpenModule | undefined;
}

/**
 * The life of a run, on its coordinator's side: it is prepared, served, watched until it ends, and reported. What is opened
 * on the way is closed in the opposite order.
 *
 * @returns 0, or 130 if it was interrupted; `view` was shown the report
 */
export async function coordinate(
  loaded: LoadedConfig<CoordinatorConfig>,
  { view, log: programLog, supervisor, listen, openModule }: CoordinatorSurroundings,
): Promise<ExitCode> {
  const { config } = loaded;
  checkSecurable(config);
  const context = programContext(programLog);
  const { clock, teardown } = context;
  try {
    const origin = await RunOrigin.find(config, context);
    if (!origin) return 0;
    const run = await prepareRun(config, origin, { view, openModule }, context);
    const { live, show } = run;
    const finished = origin.finished(run.prepared.spec);
    if (finished) {
      show({ type: 'resumed', step: origin.resumingStep!, isFinished: true });
      show({ type: 'result', ...finished });
      return 0;
    }

    const command = supervisor ? 'train' : 'coordinator';
    const served = await serveRun(loaded, run, { programLog, command }, context);
    const { coordinator, endpoints } = served;

    teardown.later(listen(served.drain));
    supervisor?.onMessage((message) => {
      if (message.type === 'stop') served.drain(message.reason);
      else coordinator.workerProcessEnded(message.worker, message.reason);
    });
    served.begin();
    await origin.leading?.publish(endpoints.reachable, (error) => coordinator.fail(error));
    announce(served, { workers: config.workers, show, supervisor });

    const report = await coordinator.run().catch((error: unknown) => {
      const known = lockstepErrorIn(error);
      const { code = 'INTERNAL', message = String(error), remedy = '' } = known ?? {};
      live.observe({ type: 'error', code, message, remedy }); //        main.ts words it for whoever started us
      throw error;
    });
    teardown.later(() => endpoints.server.stop(clock, farewellMs));
    show({ type: 'result', ...report });
    return report.outcome === 'interrupted' ? 130 : 0;
  } finally {
    await teardown.run();
  }
}
