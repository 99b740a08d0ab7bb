import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFault } from '../core/atomic-file.js';
import { LineFile, readLines } from '../store/line-file.js';
import { fault } from './faults.js';
import type { TrialRecord } from './trial-record.js';

const fileName = 'trials.jsonl';

/** The trials that a folder holds, one a line. What is in it is not done again. */
export class TrialLog {
  private constructor(
    private readonly file: LineFile,
    private readonly trials: Map<string, TrialRecord>,
  ) {}

  /** @throws LockstepError `LAB_FOLDER`, `NOT_WRITABLE` */
  static async open(folder: string): Promise<TrialLog> {
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw writeFault(folder, error);
    });
    const path = join(folder, fileName);
    const entries = await readdir(folder);
    if (!entries.includes(fileName)) {
      if (entries.length > 0)
        throw fault('LAB_FOLDER', { path: folder, reason: `it is not empty, and has no ${fileName}` });
      return new TrialLog(await LineFile.create(path), new Map());
    }
    const trials = new Map<string, TrialRecord>();
    for await (const value of readLines(path)) {
      const trial = value as TrialRecord;
      if (trial.formatVersion !== 1) throw fault('LAB_FOLDER', { path, reason: 'it was written by another version' });
      trials.set(trial.key, trial); //                                the last one counts
    }
    return new TrialLog(await LineFile.reopen(path), trials);
  }

  get(key: string): TrialRecord | undefined {
    return this.trials.get(key);
  }

  async add(trial: TrialRecord): Promise<void> {
    this.trials.set(trial.key, trial);
    this.file.append(trial);
    await this.file.flush();
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}
