import type { Finding } from './findings.js';
import type { Check } from './seed-checks.js';
import type { Cell } from './summary.js';
import type { TrialRecord } from './trial-record.js';

/** Everything that a sweep says: sweep.json, and what the page draws. */
export interface SweepReport {
  readonly formatVersion: 1;
  /** The command that made it. */
  readonly command: string;
  readonly targets: readonly number[];
  /** Trials that the grid has; those that are not done yet are missing below. */
  readonly planned: number;
  readonly done: number;
  readonly secondsMax: number | undefined;
  readonly cells: readonly Cell[];
  readonly findings: readonly Finding[];
  /** Of the seed experiment's conclusions, where they were looked for. */
  readonly checks: readonly Check[];
  readonly notes: readonly string[];
  readonly trials: readonly TrialRecord[];
  /** For the terminal. */
  readonly text: string;
}
