import type { CoordinatorConfig } from '../../config/index.js';
import type { Earlier } from '../../coordinator/resumption.js';
import { runStoreIn } from '../../coordinator/run-store.js';
import type { RunStore } from '../../coordinator/results.js';
import type { PublicEvent } from '../../live/public-events.js';
import type { RunFolder } from '../../store/run-folder.js';
import type { LiveRun } from '../live-run.js';
import type { ProgramLog } from '../logger.js';
import type { Endpoints } from './endpoints.js';
import type { PreparedRun } from './prepare-run.js';
import type { ProgramContext } from './program-context.js';
import type { RunOrigin } from './run-origin.js';

/** How long the end of a run waits for events that NATS has not taken yet. */
const farewellMs = 2_000;

/** What is written of a run: its folder, its journal, its events. */
export interface Records {
  readonly folder: RunFolder;
  readonly store: RunStore;
  /** What was recorded before. */
  readonly earlier: Earlier | undefined;
  /** Says in the journal that there is a run now, if it does not say so already. */
  readonly begin: () => Promise<void>;
}

/** Opens the folder of the run, where everything that happens is kept from now on. @throws LockstepError `NOT_WRITABLE` */
export async function openRecords(
  config: CoordinatorConfig,
  { origin, prepared, specification, live, show }: PreparedRun,
  { endpoints, programLog }: { readonly endpoints: Endpoints; readonly programLog: ProgramLog },
  context: ProgramContext,
): Promise<Records> {
  const { spec, layout } = prepared;
  const { leading: journal, resumedStep, resumingStep } = origin;
  const { folder, earlier } = await origin.openFolder();
  context.teardown.later(() => folder.close());
  await endpoints.security?.keepIn(folder.path);
  programLog.toFile(folder.logPath('coordinator'));
  const said = origin.configAsSaid(specification);
  await folder.writeSpec(said);
  await keepEvents(origin, folder, live, context, () => {
    if (resumingStep !== undefined) show({ type: 'resumed', step: resumingStep, isFinished: false });
  });
  for await (const record of folder.metricsSoFar()) live.recorder.remember(record);

  const freeze = live.freeze.bind(live);
  const store = runStoreIn(folder, spec, layout, { keep: config.keepCheckpoints, resumedStep, journal, freeze });
  return {
    ...{ folder, store, earlier },
    async begin() {
      if (!origin.isNew) return;
      const resumed = resumedStep === undefined ? {} : { resumedStep };
      await store.appendJournal({ kind: 'run', spec, port: endpoints.port, config: said, ...resumed });
    },
  };
}

/**
 * Events go into the folder, and to NATS where the run is led there. Those of coordinators before this one are remembered
 * first, from both, so that numbers go on and nothing is told twice.
 *
 * @param tellFirst - called when all of them are remembered, before any event is kept
 */
async function keepEvents(
  { leading, runId }: RunOrigin,
  folder: RunFolder,
  live: LiveRun,
  { metrics, clock, log, teardown }: ProgramContext,
  tellFirst: () => void,
): Promise<void> {
  const { recorder } = live;
  for await (const event of folder.eventsSoFar()) recorder.rememberEvent(event as PublicEvent);
  const lastInFolder = recorder.events.lastSequence;
  const stream = await leading?.openEvents(runId, {
    ...{ clock, log },
    onEarlier: (event) => recorder.rememberEvent(event),
    onWaiting: (waiting) => metrics.eventsWaiting.set(waiting),
    onGivenUp: () => metrics.eventsGivenUp.inc(),
  });
  tellFirst();
  live.keepEvents((event) => folder.appendEvent(event), lastInFolder);
  if (stream) live.keepEvents((event) => stream.publish(event), stream.lastEarlier);
  teardown.later(() => stream?.close(farewellMs));
}
