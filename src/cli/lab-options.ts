/** What the commands of the laboratory have in common. */

import { systemClock } from '../core/clock.js';
import { SharedData } from '../lab/shared-data.js';
import { wordsFor } from '../lab/summary.js';
import { trainHere, type SweepEvents, type Train } from '../lab/sweep.js';
import type { NatsAccess } from '../transport/nats/connection.js';
import type { CommandContext } from './context.js';
import { cliFault } from './faults.js';
import { natsAccess, type NatsOptions } from './nats-access.js';

export type Print = (line: object, text: string) => void;

/** Progress of trials, as text or as JSON. @param count - of all trials, where it is known */
export function eventsTo(print: Print, count: number): SweepEvents {
  return {
    started: ({ axes, key }, place) =>
      print({ type: 'trial', key, axes, place: place + 1, of: count }, `${place + 1} of ${count}: ${wordsFor(axes)}\n`),
    evaluated: ({ key }, evaluation) =>
      print(
        { type: 'evaluation', key, ...evaluation },
        `  epoch ${evaluation.epochs.toFixed(2)}, step ${evaluation.step}: accuracy ${evaluation.accuracy.toFixed(4)}, test ${evaluation.testAccuracy?.toFixed(4) ?? '-'}, ${evaluation.seconds.toFixed(1)} s\n`,
      ),
    ended: (_, record) =>
      print(
        { type: 'trial-ended', ...record, evaluations: undefined },
        `  ${record.end} after ${record.steps} steps, digest ${record.weightsDigest.slice(0, 12)}\n`,
      ),
  };
}

/** Where trials run, and how many at a time. */
export interface PlaceFlags extends Partial<NatsOptions> {
  readonly slots?: string;
  readonly threads?: string;
}

/** The same, checked. */
export interface Place {
  readonly slots: number | undefined;
  readonly threads: number;
  readonly access: NatsAccess | undefined;
}

export function placeOf(flags: PlaceFlags): Place {
  const access = natsAccess(flags);
  if (access && flags.threads !== undefined)
    throw cliFault('BAD_USAGE', {
      message: '--threads and --nats: what a worker has is said by the agent of its host',
    });
  return {
    slots: flags.slots === undefined ? undefined : wholeNumber('--slots', flags.slots),
    threads: wholeNumber('--threads', flags.threads ?? '1'),
    access,
  };
}

/** What carries trials out, as long as `work` goes on: this process, or the agents of a queue. */
export async function withTraining<Result>(
  { slots, threads, access }: Place,
  { stderr }: CommandContext,
  work: (training: { readonly train: Train; readonly slots: number }) => Promise<Result>,
): Promise<Result> {
  const data = new SharedData();
  if (!access)
    return work({ train: trainHere({ data, threads, nowMs: () => systemClock.nowMs() }), slots: slots ?? 1 });
  const { withQueue } = await import('./trials-on-agents.js');
  const say = (text: string): void => void stderr.write(`${text}\n`);
  return withQueue(access, data, say, (queue) => work({ train: queue.train, slots: slots ?? queue.slots }));
}

export function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw cliFault('BAD_USAGE', { message: `${flag} ${text}: expected a whole number of at least 1` });
  return value;
}

export function number(flag: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0)) throw cliFault('BAD_USAGE', { message: `${flag} ${text}: expected a number of at least 0` });
  return value;
}
