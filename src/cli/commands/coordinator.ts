import { systemClock } from '../../core/clock.js';
import type { CommandRun } from '../context.js';
import { coordinate } from '../coordinate/coordinate.js';
import { createLog } from '../logger.js';
import { onSignals } from '../signals.js';
import { findSupervisor } from '../supervisor.js';
import { createView } from '../view/create-view.js';

/** `lockstep coordinator`: a run of this process's own. */
export const run: CommandRun<'coordinator'> = async (loaded, { stdout, stderr, environment }) => {
  const { config } = loaded;
  const supervisor = findSupervisor();
  const view = createView(stdout, config.json, environment, () => systemClock.nowMs());
  const log = createLog({ program: 'coordinator', level: config.logLevel ?? 'info', stderr, environment });
  const listen = (stop: (reason: string) => void): (() => void) =>
    onSignals(
      (signal) => stop(`${signal} received, once more to end at once`),
      () => process.exit(130),
    );
  try {
    return await coordinate(loaded, { view, log, supervisor, listen });
  } finally {
    log.close();
    view.close();
    supervisor?.release();
  }
};
