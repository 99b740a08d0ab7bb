import type { JournalRecord } from '../cluster/messages.js';
import type { Clock } from '../core/clock.js';
import type { RunReport } from '../core/events.js';
import type { RunStore } from './results.js';

/** How long the end of a run waits for a journal that is out of reach: its successor then tells what was told already. */
const toldMs = 2_000;

export interface RunJournalNeeds {
  readonly store: Pick<RunStore, 'appendJournal'>;
  readonly clock: Clock;
  readonly log: { warn(text: string): void };
  /** That the run has taken so far. */
  secondsTotal(): number;
  /** What the End leaves behind. */
  report(): RunReport | undefined;
}

/** What a coordinator writes into its run's journal: records of membership, and at last that everybody knows of the End. */
export class RunJournal {
  constructor(private readonly needs: RunJournalNeeds) {}

  /** @returns when it is there @throws what the store throws */
  async append(record: JournalRecord): Promise<void> {
    const { store } = this.needs;
    const seconds = this.needs.secondsTotal();
    if (record.kind === 'end') await store.appendJournal({ ...record, report: this.needs.report(), seconds });
    else await store.appendJournal({ ...record, seconds });
  }

  /** All workers have left, or had their time: nobody has to take over. @returns soon, whether it is there or not */
  async told(): Promise<void> {
    const { store, clock, log } = this.needs;
    const seconds = this.needs.secondsTotal();
    await new Promise<void>((resolve) => {
      const cancel = clock.setTimer(toldMs, resolve);
      const done = (): void => {
        cancel();
        resolve();
      };
      store.appendJournal({ kind: 'told', seconds }).then(done, (error: unknown) => {
        log.warn(`the journal does not say that the workers were told of the end: ${(error as Error).message}`);
        done();
      });
    });
  }
}
