/**
 * What a run leaves behind:
 *
 *     spec.json            the resolved configuration, itself a valid --config
 *     journal.jsonl        generations and events; each line is on the disk before anything rests on it
 *     metrics.jsonl        a line a step, and one an evaluation
 *     logs/<name>.jsonl    of each process
 *     checkpoints/         <step>.safetensors
 *     best.safetensors, final.safetensors
 *     events.jsonl         what happened, as others may read it: docs/events.md
 *     report.json, report.html, picture.json
 *     lock.<n>             while a process works on it
 */
import { access, constants, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncFolder, writeFault, writeFileAtomically } from '../core/atomic-file.js';
import type { EvaluationRecord, RunReport, StepRecord } from '../core/events.js';
import {
  checkpointName,
  newestCheckpoint,
  newestStepIn,
  removeOldCheckpoints,
  type FoundCheckpoint,
} from './checkpoints.js';
import { fault } from './faults.js';
import { LineFile, readLines } from './line-file.js';
import { FolderLock } from './folder-lock.js';
import { readSafetensors, writeSafetensors, type TensorFile } from './safetensors.js';

/** What the folder of a run is made from. */
export interface RunFolderOptions {
  /** As given by `--out`, or `runs/<run id>`; relative to the working directory. */
  readonly path: string;
}

export class RunFolder {
  private constructor(
    /** Absolute. */
    readonly path: string,
    private readonly journal: LineFile,
    private readonly metrics: LineFile,
    private readonly events: LineFile,
    private readonly lock: FolderLock,
  ) {}

  /**
   * Makes the folder and everything in it that a run appends to.
   *
   * @throws LockstepError `OUT_NOT_EMPTY`, also when another run takes the folder at the same moment; `NOT_WRITABLE`
   */
  static async create(options: RunFolderOptions): Promise<RunFolder> {
    const path = resolve(options.path);
    try {
      await makeFolder(path);
      const found = (await readdir(path)).sort();
      if (found[0] !== undefined) throw fault('OUT_NOT_EMPTY', { path: options.path, found: found[0] });
      await mkdir(join(path, 'logs')).catch((error: unknown) => {
        if (!isAlreadyThere(error)) throw error; //               made by another run since we looked
        throw fault('OUT_NOT_EMPTY', { path: options.path, found: 'logs' }, error);
      });
      await mkdir(join(path, 'checkpoints'));
    } catch (error) {
      throw isSystemError(error) ? writeFault(options.path, error) : error;
    }
    const lock = await FolderLock.acquire(path);
    try {
      const journal = await LineFile.create(join(path, 'journal.jsonl'));
      const metrics = await LineFile.create(join(path, 'metrics.jsonl'));
      const events = await LineFile.create(join(path, 'events.jsonl'));
      return new RunFolder(path, journal, metrics, events, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** @param lock - of this folder; `close` releases it */
  static async reopen({ path, lock }: LockedFolder, afterStep: number): Promise<RunFolder> {
    const isBefore = (record: unknown): boolean => (record as { step: number }).step <= afterStep;
    await mkdir(join(path, 'logs'), { recursive: true });
    const journal = await LineFile.reopen(join(path, 'journal.jsonl'));
    const metrics = await LineFile.reopen(join(path, 'metrics.jsonl'), isBefore);
    const events = await LineFile.reopen(join(path, 'events.jsonl'));
    return new RunFolder(path, journal, metrics, events, lock);
  }

  /** @param spec - plain data */
  async writeSpec(spec: unknown): Promise<void> {
    await this.writeJson('spec.json', spec);
  }

  /** Step of the newest checkpoint, whole or not; 0 without. */
  async newestCheckpointStep(): Promise<number> {
    return newestStepIn(join(this.path, 'checkpoints'));
  }

  /** Step of the best weights that are stored; 0 without. */
  async bestStep(): Promise<number> {
    const best = await readSafetensors(join(this.path, 'best.safetensors')).catch(() => undefined);
    return Number(best?.metadata['step'] ?? 0);
  }

  /** Adds an entry to the journal; when it returns, the entry survives a crash. */
  async appendToJournal(entry: unknown): Promise<void> {
    await this.journal.appendDurably(entry);
  }

  /** Adds a line to the metrics, which may be held back until `flushMetrics` or `close`. */
  appendMetrics(record: StepRecord | EvaluationRecord): void {
    this.metrics.append(record);
  }

  /** Adds an event, on its way to the file at once: somebody may follow it, and whoever takes over goes on there. */
  appendEvent(event: unknown): void {
    this.events.append(event);
    this.events.flush().catch(() => undefined); //                     it stays held; `close` says what is wrong
  }

  /** What events.jsonl says so far, in order. */
  async *eventsSoFar(): AsyncIterable<unknown> {
    await this.events.flush();
    yield* readLines(this.events.path);
  }

  async flushMetrics(): Promise<void> {
    await this.metrics.flush();
  }

  /** What metrics.jsonl says so far, in order. */
  async *metricsSoFar(): AsyncIterable<StepRecord | EvaluationRecord> {
    await this.metrics.flush();
    yield* readLines(this.metrics.path) as AsyncIterable<StepRecord | EvaluationRecord>;
  }

  /** Where the process `name` writes its log. */
  logPath(name: string): string {
    return join(this.path, 'logs', `${name}.jsonl`);
  }

  /**
   * Writes a checkpoint and removes old ones. The metrics up to it reach the disk before: a run that continues there has
   * a line for each of its steps.
   *
   * @param keep - how many stay @param kept - a step whose checkpoint stays in any case
   * @returns the file's path
   */
  async writeCheckpoint(step: number, file: TensorFile, keep = Infinity, kept?: number): Promise<string> {
    await this.metrics.sync();
    const path = await this.writeTensors(join('checkpoints', checkpointName(step)), file);
    await this.keepCheckpoints(keep, kept);
    return path;
  }

  /**
   * Makes a checkpoint that a worker has written into a shared folder one of this run's, and removes old ones. Parameters as
   * above; of two for one step the file in this folder stays.
   */
  async linkCheckpoint(step: number, path: string, keep = Infinity, kept?: number): Promise<void> {
    await this.metrics.sync();
    const link = join(this.path, 'checkpoints', checkpointName(step));
    await symlink(path, link).catch((error: unknown) => {
      if (!isAlreadyThere(error)) throw isSystemError(error) ? writeFault(link, error) : error;
    });
    await syncFolder(dirname(link));
    await this.keepCheckpoints(keep, kept);
  }

  /** Removes all checkpoints but the newest. @param kept - a step whose checkpoint stays in any case */
  async keepCheckpoints(keep: number, kept?: number): Promise<void> {
    await removeOldCheckpoints(join(this.path, 'checkpoints'), keep, kept);
  }

  /** The weights with the highest test accuracy so far. Replaces earlier ones. @returns the file's path */
  async writeBest(file: TensorFile): Promise<string> {
    return this.writeTensors('best.safetensors', file);
  }

  /** @returns the file's path */
  async writeFinal(file: TensorFile): Promise<string> {
    return this.writeTensors('final.safetensors', file);
  }

  async writeReport(report: RunReport): Promise<void> {
    await this.writeJson('report.json', report);
  }

  /** Writes report.html, the live page with its last picture, and the picture by itself. */
  async writePicture(page: string, picture: unknown): Promise<void> {
    await this.writeJson('picture.json', picture);
    await writeFileAtomically(join(this.path, 'report.html'), [Buffer.from(page)]);
  }

  async close(): Promise<void> {
    try {
      await this.metrics.close();
      await this.events.close();
    } finally {
      await this.journal.close();
      await this.lock.release();
    }
  }

  private async writeTensors(name: string, file: TensorFile): Promise<string> {
    const path = join(this.path, name);
    await writeSafetensors(path, file);
    return path;
  }

  private async writeJson(name: string, value: unknown): Promise<void> {
    await writeFileAtomically(join(this.path, name), [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)]);
  }
}

/** The folder of an earlier run, of which this process alone may now make something. */
export class LockedFolder {
  private constructor(
    /** Absolute. */
    readonly path: string,
    readonly lock: FolderLock,
  ) {}

  /** @throws LockstepError `RUN_IN_USE`, `NOT_WRITABLE` */
  static async lock(path: string): Promise<LockedFolder> {
    return new LockedFolder(resolve(path), await FolderLock.acquire(resolve(path)));
  }

  /** As `lock`, for a folder that may not be there or be empty: there is nothing to take then. */
  static async lockIfThere(path: string): Promise<LockedFolder | undefined> {
    const found = await readdir(path).catch((): string[] => []);
    return found.includes('journal.jsonl') ? LockedFolder.lock(path) : undefined;
  }

  /**
   * @param passedOver - told of each damaged checkpoint
   * @throws LockstepError `NO_CHECKPOINT`
   */
  async newestCheckpoint(passedOver: (name: string, reason: string) => void): Promise<FoundCheckpoint> {
    const folder = join(this.path, 'checkpoints');
    let count = 0;
    const found = await newestCheckpoint(folder, (name, reason) => {
      count += 1;
      passedOver(name, reason);
    });
    if (!found) throw fault('NO_CHECKPOINT', { path: folder, passedOver: count });
    return found;
  }

  /** The report of the earlier run, if it came to its end. */
  async report(): Promise<RunReport | undefined> {
    const text = await readFile(join(this.path, 'report.json'), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as RunReport);
  }

  /** Entries of the journal, in order. */
  journal(): AsyncIterable<unknown> {
    return readLines(join(this.path, 'journal.jsonl'));
  }
}

/** With its parents. On a read-only file system mkdir says that there is no such folder; what is wrong is asked for then. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    let there = dirname(path);
    while (
      !(await access(there).then(
        () => true,
        () => false,
      ))
    )
      there = dirname(there);
    await access(there, constants.W_OK);
    throw error;
  }
}

/** The file of a checkpoint in a run's folder. */
export function checkpointIn(folder: string, step: number): string {
  return join(folder, 'checkpoints', checkpointName(step));
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function isAlreadyThere(error: unknown): boolean {
  return isSystemError(error) && error.code === 'EEXIST';
}
