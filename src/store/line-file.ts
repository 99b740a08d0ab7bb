/** Files that grow by lines of JSON. One writer each; a line is written as a whole or, at the end after a crash, torn. */
import { open, type FileHandle } from 'node:fs/promises';
import { writeFault } from '../core/atomic-file.js';

/** Lines that are held back before they are written, unless each is written at once. */
const bufferBytesMax = 1 << 16;

export class LineFile {
  private buffer: string[] = [];
  private bufferBytes = 0;
  private queue: Promise<void> = Promise.resolve();

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /** @throws LockstepError `NOT_WRITABLE`, also when the file is there already */
  static async create(path: string): Promise<LineFile> {
    const file = await open(path, 'ax').catch((error: unknown) => {
      throw writeFault(path, error);
    });
    return new LineFile(path, file);
  }

  /** Adds a line, which reaches the file with the next `flush`, or sooner. Failures come with the next `flush`. */
  append(value: unknown): void {
    const line = `${JSON.stringify(value)}\n`;
    this.buffer.push(line);
    this.bufferBytes += line.length;
    if (this.bufferBytes >= bufferBytesMax) this.flush().catch(() => undefined); // the queue keeps the failure
  }

  /** Adds a line and waits until it and all before it are on the disk: what is promised to others rests on it. */
  async appendDurably(value: unknown): Promise<void> {
    this.append(value);
    await this.flush();
    await this.file.sync().catch((error: unknown) => {
      throw writeFault(this.path, error);
    });
  }

  /** Writes what is held back. After a failure, this and all later ones fail alike: no line is written behind a gap. */
  flush(): Promise<void> {
    const text = this.buffer.join('');
    this.buffer = [];
    this.bufferBytes = 0;
    this.queue = this.queue.then(async () => {
      if (text === '') return;
      await this.file.appendFile(text).catch((error: unknown) => {
        throw writeFault(this.path, error);
      });
    });
    return this.queue;
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.file.close();
    }
  }
}
