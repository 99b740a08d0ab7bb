import { setTimeout as pause } from 'node:timers/promises';
import { start, type Running } from '../e2e/lockstep.js';

/** A run of three workers as processes of their own, for whoever looks on. It is long enough to be stopped, not to end. */
export interface WatchedRun {
  readonly coordinator: Running;
  readonly workers: readonly Running[];
  /** Of the live page. */
  readonly url: string;
}

export async function startWatchedRun(
  place: { readonly folder: string; path(name: string): string; smallDataset(): string },
  steps: number,
): Promise<WatchedRun> {
  const flags = [
    '--dataset',
    place.smallDataset(),
    '--global-batch',
    '96',
    '--micro-batch',
    '8',
    '--steps',
    `${steps}`,
  ];
  const often = ['--eval-every', '50steps', '--checkpoint-every', '50steps', '--port', '0', '--metrics-port', '0'];
  const coordinator = start(
    ['coordinator', ...flags, ...often, '--workers', '3', '--json', '--out', place.path('run')],
    place.folder,
  );
  const [, address, url] = await coordinator.seen(/"coordinator":"([^"]+)".*"page":"([^"]+)"/);
  const workers = [0, 1, 2].map((i) =>
    start(
      ['worker', '--coordinator', address!, '--name', `worker-${i}`, '--exchange-port', '0', '--metrics-port', '0'],
      place.folder,
    ),
  );
  await coordinator.seen(/"type":"started"/);
  return { coordinator, workers, url: url! };
}

/** Asks again and again until the answer is there: another program's work is nothing that an event here could tell of. */
export async function until<Answer>(
  what: string,
  limitMs: number,
  ask: () => Promise<Answer | undefined>,
): Promise<Answer> {
  for (const beginMs = Date.now(); Date.now() - beginMs < limitMs; await pause(200)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
  throw new Error(`not within ${limitMs / 1000} s: ${what}`);
}
