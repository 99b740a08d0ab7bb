/** Files that grow by lines of JSON. One writer each; a line is written as a whole or, at the end after a crash, torn. */
import { createReadStream } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { writeFault, writeFileAtomically } from '../core/atomic-file.js';

/** Lines that are held back before they are written, unless each is written at once. */
const bufferBytesMax = 1 << 16;
/** Lines that are held while the disk takes none: hours of a run. Beyond it they are given up, and the file with them. */
const heldBytesMax = 1 << 26;

export class LineFile {
  private held: string[] = [];
  private heldBytes = 0;
  /** Of these, what came since the last attempt to write. */
  private newBytes = 0;
  private queue: Promise<void> = Promise.resolve();
  /** Why nothing is written any more. */
  private failure: Error | undefined;

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
    /** What is in the file, all of it whole lines. */
    private writtenBytes: number,
  ) {}

  /** @throws LockstepError `NOT_WRITABLE`, also when the file is there already */
  static async create(path: string): Promise<LineFile> {
    const file = await open(path, 'ax').catch((error: unknown) => {
      throw writeFault(path, error);
    });
    return new LineFile(path, file, 0);
  }

  /**
   * Opens a file that an earlier process wrote, to add to it. Lines that are torn, or that `keeps` does not want, go.
   *
   * @throws LockstepError `NOT_WRITABLE`, `DISK_FULL`; what was there before is then still there
   */
  static async reopen(path: string, keeps: (value: unknown) => boolean = () => true): Promise<LineFile> {
    const wanted = async function* (): AsyncIterable<Uint8Array> {
      for await (const value of readLines(path)) if (keeps(value)) yield Buffer.from(`${JSON.stringify(value)}\n`);
    };
    await writeFileAtomically(path, wanted());
    const file = await open(path, 'a').catch((error: unknown) => {
      throw writeFault(path, error);
    });
    return new LineFile(path, file, (await file.stat()).size);
  }

  /**
   * Adds a line, which reaches the file with the next `flush`, or sooner. While the disk takes nothing lines are held, so
   * that none is missing when it has room again.
   */
  append(value: unknown): void {
    if (this.failure) return;
    const line = `${JSON.stringify(value)}\n`;
    this.held.push(line);
    this.heldBytes += Buffer.byteLength(line);
    this.newBytes += line.length;
    if (this.newBytes >= bufferBytesMax) this.flush().catch(() => undefined); // whoever flushes next is told
  }

  /**
   * Adds a line and waits until it and all before it are on the disk: what is promised to others rests on it. If that
   * fails, nothing is ever written again: a line that was given up must not appear later, nor one behind it.
   */
  async appendDurably(value: unknown): Promise<void> {
    this.append(value);
    await this.sync().catch((error: unknown) => {
      this.giveUp(error as Error);
      throw error;
    });
  }

  /** Waits until everything so far is on the disk. @throws LockstepError as `flush` does */
  async sync(): Promise<void> {
    await this.flush();
    await this.file.sync().catch((error: unknown) => {
      throw writeFault(this.path, error);
    });
  }

  /** Writes what is held. @throws LockstepError `NOT_WRITABLE`, `DISK_FULL`; the lines stay held, for the next attempt */
  flush(): Promise<void> {
    const attempt = this.queue.then(() => this.write());
    this.queue = attempt.catch(() => undefined);
    return attempt;
  }

  private async write(): Promise<void> {
    if (this.failure) throw this.failure;
    const lines = this.held;
    const bytes = Buffer.from(lines.join(''));
    this.newBytes = 0;
    if (bytes.length === 0) return;
    this.held = [];
    try {
      await this.file.appendFile(bytes);
    } catch (error) {
      this.held = [...lines, ...this.held];
      const fault = writeFault(this.path, error);
      if (this.heldBytes > heldBytesMax || !(await this.cutToWhole())) this.giveUp(fault);
      throw fault;
    }
    this.writtenBytes += bytes.length;
    this.heldBytes -= bytes.length;
  }

  /** Takes back the part of a line that a failed write left. @returns whether it could */
  private async cutToWhole(): Promise<boolean> {
    return this.file.truncate(this.writtenBytes).then(
      () => true,
      () => false,
    );
  }

  private giveUp(reason: Error): void {
    this.failure ??= reason;
    this.held = [];
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.file.close();
    }
  }
}

/** What a file's lines say, in order; a line that is torn is left out, and a file that is not there has none. */
export async function* readLines(path: string): AsyncIterable<unknown> {
  if (!(await stat(path).catch(() => undefined))) return;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      continue;
    }
    yield value;
  }
}
