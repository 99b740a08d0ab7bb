/**
 * What a run leaves behind:
 *
 *     spec.json            the resolved configuration, itself a valid --config
 *     journal.jsonl        generations and events; each line is on the disk before anything rests on it
 *     metrics.jsonl        a line a step, and one an evaluation
 *     logs/<name>.jsonl    of each process
 *     checkpoints/         <step>.safetensors
 *     best.safetensors, final.safetensors
 *     report.json, report.html
 */
import { createReadStream } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { writeFault, writeFileAtomically } from '../core/atomic-file.js';
import type { EvaluationRecord, RunReport, StepRecord } from '../core/events.js';
import { fault } from './faults.js';
import { LineFile } from './line-file.js';
import { reportPage } from './report-page.js';
import { writeSafetensors, type TensorFile } from './safetensors.js';

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
  ) {}

  /**
   * Makes the folder and everything in it that a run appends to.
   *
   * @throws LockstepError `OUT_NOT_EMPTY`, also when another run takes the folder at the same moment; `NOT_WRITABLE`
   */
  static async create(options: RunFolderOptions): Promise<RunFolder> {
    const path = resolve(options.path);
    try {
      await mkdir(path, { recursive: true });
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
    const journal = await LineFile.create(join(path, 'journal.jsonl'));
    const metrics = await LineFile.create(join(path, 'metrics.jsonl'));
    return new RunFolder(path, journal, metrics);
  }

  /** @param spec - plain data */
  async writeSpec(spec: unknown): Promise<void> {
    await this.writeJson('spec.json', spec);
  }

  /** Adds an entry to the journal; when it returns, the entry survives a crash. */
  async appendToJournal(entry: unknown): Promise<void> {
    await this.journal.appendDurably(entry);
  }

  /** Adds a line to the metrics, which may be held back until `flushMetrics` or `close`. */
  appendMetrics(record: StepRecord | EvaluationRecord): void {
    this.metrics.append(record);
  }

  async flushMetrics(): Promise<void> {
    await this.metrics.flush();
  }

  /** Where the process `name` writes its log. */
  logPath(name: string): string {
    return join(this.path, 'logs', `${name}.jsonl`);
  }

  async writeCheckpoint(step: number, file: TensorFile): Promise<string> {
    return this.writeTensors(join('checkpoints', `${String(step).padStart(8, '0')}.safetensors`), file);
  }

  /** The weights with the highest test accuracy so far. Replaces earlier ones. @returns the file's path */
  async writeBest(file: TensorFile): Promise<string> {
    return this.writeTensors('best.safetensors', file);
  }

  /** @returns the file's path */
  async writeFinal(file: TensorFile): Promise<string> {
    return this.writeTensors('final.safetensors', file);
  }

  /** Writes report.json, and report.html with the curves of what is in metrics.jsonl. */
  async writeReport(report: RunReport): Promise<void> {
    await this.writeJson('report.json', report);
    await this.metrics.flush();
    const steps: StepRecord[] = [];
    const evaluations: EvaluationRecord[] = [];
    for await (const line of createInterface({ input: createReadStream(this.metrics.path), crlfDelay: Infinity })) {
      const record = JSON.parse(line) as StepRecord | EvaluationRecord;
      if ('testLoss' in record) evaluations.push(record);
      else steps.push(record);
    }
    await writeFileAtomically(join(this.path, 'report.html'), [Buffer.from(reportPage(report, steps, evaluations))]);
  }

  async close(): Promise<void> {
    try {
      await this.metrics.close();
    } finally {
      await this.journal.close();
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

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function isAlreadyThere(error: unknown): boolean {
  return isSystemError(error) && error.code === 'EEXIST';
}
