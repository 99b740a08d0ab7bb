import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { start, type Running } from '../e2e/lockstep.js';

/** A run of three workers as processes of their own, for whoever looks on. */
export interface WatchedRun {
  readonly coordinator: Running;
  readonly workers: readonly Running[];
  /** Of the live page. */
  readonly url: string;
}

/** Of a run that is stopped when nobody needs it any more: no machine is so fast that it ends before. */
export const endless = 10_000_000;

/** Whoever watches does much meanwhile, and stops the run when it is done. */
const limitMs = 900_000;

/**
 * With a metric of its own, so that there is nothing on a dashboard that it does not show.
 *
 * @param beforeWorkers - something to do while the coordinator is there and waits for them
 */
export async function startWatchedRun(
  place: { readonly folder: string; path(name: string): string; smallDataset(): string },
  steps: number,
  beforeWorkers: (url: string) => Promise<void> = () => Promise.resolve(),
): Promise<WatchedRun> {
  const batches = ['--global-batch', '96', '--micro-batch', '8'];
  const module = place.path('watched.mjs');
  const definition = { model: 'lenet5', data: place.smallDataset(), metrics: { top5: 'top5Accuracy' } };
  writeFileSync(module, `export default ${JSON.stringify(definition)};\n`);
  const flags = [module, ...batches, '--steps', `${steps}`];
  const often = ['--eval-every', '50steps', '--checkpoint-every', '50steps', '--port', '0', '--metrics-port', '0'];
  const coordinator = start(
    ['coordinator', ...flags, ...often, '--workers', '3', '--json', '--out', place.path('run')],
    place.folder,
    {},
    [],
    limitMs,
  );
  const [, address, url] = await coordinator.seen(/"coordinator":"([^"]+)".*"page":"([^"]+)"/);
  await beforeWorkers(url!);
  const workers = [0, 1, 2].map((i) =>
    start(
      ['worker', '--coordinator', address!, '--name', `worker-${i}`, '--exchange-port', '0', '--metrics-port', '0'],
      place.folder,
      {},
      [],
      limitMs,
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
