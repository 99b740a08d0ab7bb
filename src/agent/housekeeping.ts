import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/clock.js';
import { isOver, type RunLedger, type RunRecord } from '../transport/nats/run-ledger.js';
import { certificateFolder, runOf } from './run-paths.js';

/** How often runs that NATS does not know are looked for. */
const lookMs = 10_000;

export interface HousekeepingNeeds {
  readonly clock: Clock;
  readonly ledger: Pick<RunLedger, 'pruned'>;
  readonly log: { info(text: string): void };
}

/** Removes what is left of runs in an agent's folder: keys as soon as nobody here needs them, the rest when a user says so. */
export class Housekeeping {
  private nextLookMs = 0;

  constructor(
    private readonly needs: HousekeepingNeeds,
    private readonly folder: string,
  ) {}

  /** @param busy - runs that have a program here */
  async tend(runs: ReadonlyMap<string, RunRecord>, busy: ReadonlySet<string>): Promise<void> {
    const { clock, ledger, log } = this.needs;
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const names = readdirSync(this.folder);
    const idle = new Set(names.flatMap((name) => runOf(name) ?? []).filter((run) => !busy.has(run)));
    for (const run of idle) {
      const record = runs.get(run);
      if (!record || isOver(record)) this.remove([certificateFolder(run)]); // one that goes on gets them again, from NATS
    }
    if (clock.nowMs() < this.nextLookMs) return;
    this.nextLookMs = clock.nowMs() + lookMs;
    for (const run of idle) {
      // A server that lost its disk knows no run: only of those that somebody has pruned is anything removed.
      if (runs.has(run) || !(await ledger.pruned.get(run))) continue;
      this.remove(names.filter((name) => runOf(name) === run));
      log.info(`removed what was left of run ${run}, which was pruned`);
    }
  }

  private remove(names: readonly string[]): void {
    for (const name of names) rmSync(join(this.folder, name), { recursive: true, force: true });
  }
}
