import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** What is passed on at once: below the largest message that NATS takes. */
const chunkBytesMax = 256 * 1024;

/** Reads what a program appends to its log, line by line. */
export class LogTail {
  private offset: number;

  /** @param from - `end` for a log whose beginning somebody else has passed on */
  constructor(
    private readonly path: string,
    from: 'beginning' | 'end' = 'beginning',
  ) {
    this.offset = from === 'end' ? this.size() : 0;
  }

  /** The next whole lines, or undefined; `taken` says that they are passed on. */
  next(): { readonly text: string; taken(): void } | undefined {
    let file: number;
    try {
      file = openSync(this.path, 'r');
    } catch {
      return undefined;
    }
    try {
      const bytes = Buffer.alloc(Math.min(chunkBytesMax, Math.max(0, fstatSync(file).size - this.offset)));
      const count = readSync(file, bytes, 0, bytes.length, this.offset);
      const end = bytes.lastIndexOf('\n', count - 1) + 1 || (count === chunkBytesMax ? count : 0);
      if (end === 0) return undefined;
      return { text: bytes.toString('utf8', 0, end), taken: () => (this.offset += end) };
    } finally {
      closeSync(file);
    }
  }

  private size(): number {
    try {
      const file = openSync(this.path, 'r');
      try {
        return fstatSync(file).size;
      } finally {
        closeSync(file);
      }
    } catch {
      return 0;
    }
  }
}
