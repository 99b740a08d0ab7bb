/** Loaded into a coordinator by tests, with `--import`: it dies when the run's End is in its journal in NATS, and not yet told. */
import { JournalStream } from '../../src/transport/nats/journal-stream.js';

const append = Object.getOwnPropertyDescriptor(JournalStream.prototype, 'append')!.value as JournalStream['append'];

JournalStream.prototype.append = async function (this: JournalStream, entry: object): Promise<void> {
  await append.call(this, entry);
  if ('kind' in entry && entry.kind === 'end') process.kill(process.pid, 'SIGKILL');
};
