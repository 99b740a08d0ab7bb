/** Taking over a run whose coordinator is gone while its workers go on (protocol, rule 12). */
import type { DatasetFile, RunSpec } from '../core/run-spec.js';
import { checkpointIn, LockedFolder, RunFolder } from '../store/run-folder.js';
import { fault } from './faults.js';
import { readJournal, type JournalContent, type RunEntry } from './journal.js';
import type { Earlier } from './resumption.js';
import { RunRecord } from './run-record.js';

export class Restoration {
  private constructor(
    private readonly locked: LockedFolder,
    private readonly journal: JournalContent,
    readonly run: RunEntry,
  ) {}

  /**
   * Takes the folder for this process, and changes nothing in it.
   *
   * @returns undefined if no run was begun there
   * @throws LockstepError `RUN_IN_USE` while its coordinator lives; `NOT_WRITABLE`
   */
  static async find(path: string): Promise<Restoration | undefined> {
    const locked = await LockedFolder.lockIfThere(path);
    if (!locked) return undefined;
    const journal = await readJournal(locked.journal());
    if (journal.run) return new Restoration(locked, journal, journal.run);
    await locked.lock.release();
    return undefined;
  }

  get spec(): RunSpec {
    return this.run.spec;
  }

  /** File of the checkpoint from which the run went on, if it was resumed: workers that join ask for it. */
  get resumedFrom(): string | undefined {
    const { resumedStep } = this.run;
    return resumedStep === undefined ? undefined : checkpointIn(this.locked.path, resumedStep);
  }

  /** @param found - what the data set's files are now @throws LockstepError `RESTORE_CHANGED` */
  check(found: readonly DatasetFile[]): void {
    for (const { role, sha256: was } of this.spec.dataset.files) {
      const is = found.find((file) => file.role === role)?.sha256 ?? 'missing';
      if (was !== is) throw fault('RESTORE_CHANGED', { what: `${role} of the data set`, was, is });
    }
  }

  /** Opens the folder to go on, with everything that was recorded. Its `close` releases it. */
  async open(): Promise<{ folder: RunFolder; earlier: Earlier }> {
    const { journal, locked } = this;
    const report = await locked.report();
    const folder = await RunFolder.reopen(locked, Infinity);
    const record = new RunRecord();
    let seconds = journal.seconds;
    for await (const line of folder.metricsSoFar()) {
      if ('testLoss' in line) record.evaluation(line);
      else {
        record.step(line);
        const { compute, wait, exchange, update } = line.seconds;
        if (line.step > (journal.newestBegin?.afterStep ?? 0)) seconds += compute + wait + exchange + update;
      }
    }
    const { term, newestBegin, isEnded } = journal;
    const savedCheckpointStep = await folder.newestCheckpointStep();
    const savedBestStep = await folder.bestStep();
    const restored = { newestBegin, isEnded, report, savedCheckpointStep, savedBestStep };
    return { folder, earlier: { record, term, seconds, restored } };
  }

  /** For a run that is not taken over after all. Releasing it again does no harm. */
  async release(): Promise<void> {
    await this.locked.lock.release();
  }
}
