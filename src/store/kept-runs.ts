/** The runs whose folders lie in one folder, and what they take of its disk. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFault } from '../core/atomic-file.js';
import { removeOldCheckpoints } from './checkpoints.js';
import { FolderLock } from './folder-lock.js';

export interface KeptRun {
  /** Of its folder. */
  readonly name: string;
  readonly path: string;
  /** `going`: a process works on it. `unfinished`: none does, and it has no report; it can be resumed. */
  readonly state: 'going' | 'finished' | 'unfinished';
  readonly bytes: number;
  /** When something in it was written last, since 1970. */
  readonly changedMs: number;
}

/** Newest first. What is no run's folder is passed over. */
export async function keptRuns(folder: string): Promise<readonly KeptRun[]> {
  const runs: KeptRun[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const files = await readdir(path, { recursive: true }).catch((): string[] => []);
    if (!files.includes('journal.jsonl')) continue;
    let [bytes, changedMs] = [0, 0];
    for (const file of files) {
      const found = await stat(join(path, file)).catch(() => undefined); // removed since we looked
      if (found?.isFile() !== true) continue;
      bytes += found.size;
      changedMs = Math.max(changedMs, found.mtimeMs);
    }
    const isGoing = await FolderLock.isHeld(path);
    const state = isGoing ? 'going' : files.includes('report.json') ? 'finished' : 'unfinished';
    runs.push({ name, path, state, bytes, changedMs });
  }
  return runs.sort((a, b) => b.changedMs - a.changedMs || (a.name < b.name ? -1 : 1));
}

/**
 * Removes a run with all that it has, checkpoints in a shared folder among it.
 *
 * @throws LockstepError `RUN_IN_USE`, `NOT_WRITABLE`
 */
export async function removeRun(path: string): Promise<void> {
  const lock = await FolderLock.acquire(path);
  try {
    await removeOldCheckpoints(join(path, 'checkpoints'), 0);
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    throw writeFault(path, error);
  } finally {
    await lock.release();
  }
}
