import { cliFault } from './faults.js';

const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000 } as const;

/**
 * `7d`, `12h`, `30m`; a number alone counts days.
 *
 * @param flag - that an error names
 * @throws LockstepError `BAD_USAGE`
 */
export function ageMs(flag: string, text: string): number {
  const [, number, unit = 'd'] = /^(\d+(?:\.\d+)?)([dhm])?$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * unitMs[unit as keyof typeof unitMs];
  throw cliFault('BAD_USAGE', { message: `${flag} ${text}: expected an age such as 7d, 12h or 30m` });
}
