import type { RunEvent } from '../../core/events.js';
import type { Supervisor } from '../supervisor.js';
import type { ServedRun } from './serve-run.js';

interface Announcement {
  /** That may join with the token, where the run has one. */
  readonly workers: number;
  readonly show: (event: RunEvent) => void;
  readonly supervisor: Supervisor | undefined;
}

/** Tells people, and whoever starts the workers, where the run is and how to join it. */
export function announce({ endpoints, folder }: ServedRun, { workers, show, supervisor }: Announcement): void {
  const { bound, local, reachable, metricsUrl, pageUrl, security } = endpoints;
  const token = security?.token(workers);
  const join = `lockstep worker --coordinator ${reachable} --listen 0.0.0.0 --token ${token}`;
  show({
    type: 'listening',
    coordinator: bound,
    metrics: metricsUrl,
    page: pageUrl,
    ...(token === undefined ? {} : { join }),
  });
  supervisor?.tell({ type: 'listening', address: local, out: folder, ...(token === undefined ? {} : { token }) });
}
