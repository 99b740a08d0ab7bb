/** What the commands of the laboratory have in common. */

import { wordsFor } from '../lab/summary.js';
import type { SweepEvents } from '../lab/sweep.js';
import { cliFault } from './faults.js';

export type Print = (line: object, text: string) => void;

/** Progress of trials, as text or as JSON. @param count - of all trials, where it is known */
export function eventsTo(print: Print, count: number): SweepEvents {
  return {
    started: ({ axes, key }, place) =>
      print({ type: 'trial', key, axes, place: place + 1, of: count }, `${place + 1} of ${count}: ${wordsFor(axes)}\n`),
    evaluated: ({ key }, evaluation) =>
      print(
        { type: 'evaluation', key, ...evaluation },
        `  epoch ${evaluation.epochs.toFixed(2)}, step ${evaluation.step}: accuracy ${evaluation.accuracy.toFixed(4)}, test ${evaluation.testAccuracy.toFixed(4)}, ${evaluation.seconds.toFixed(1)} s\n`,
      ),
    ended: (_, record) =>
      print(
        { type: 'trial-ended', ...record, evaluations: undefined },
        `  ${record.end} after ${record.steps} steps, digest ${record.weightsDigest.slice(0, 12)}\n`,
      ),
  };
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

/** A word as a person can paste it into a shell. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
