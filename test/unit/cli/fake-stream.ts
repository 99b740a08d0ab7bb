import { Writable } from 'node:stream';

/** A stream that keeps what is written; it claims to be a terminal of 100 columns if it is told to. */
export class FakeStream extends Writable {
  text = '';
  readonly columns = 100;
  constructor(readonly isTTY: boolean) {
    super({ decodeStrings: false });
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }

  /** For functions that take process.stdout. */
  get asTerminal(): NodeJS.WriteStream {
    return this as unknown as NodeJS.WriteStream;
  }
}
