/** The program of the thread that reads a run's samples, beside the threads that compute with them. */
import { createHash } from 'node:crypto';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';

import { randomStream } from '../core/random.js';
import { sentError } from '../core/sent-error.js';
import { readChecked, type NamedDataset } from '../data/checked-read.js';
import type { SampleValues } from '../data/dataset.js';
import type {
  Connect,
  DataThreadData,
  FromDataThread,
  ReadAnswer,
  ReadRequest,
  SetDescription,
} from './data-messages.js';
import { loadRunModule, openData, type OpenedData } from './load-module.js';

/** Samples of a set that are compared between machines. */
const probedMax = 8;

const port = parentPort!;
const tell = (message: FromDataThread): void => port.postMessage(message);

try {
  const { path, evaluated } = workerData as DataThreadData;
  const sets = await openData(path, await loadRunModule(path), evaluated);
  port.on('message', (connect: Connect) => serve(sets, connect));
  tell({ sets: { train: describe(sets.train), test: describe(sets.test) } });
  tell({ probes: { train: await probe(sets.train), test: await probe(sets.test) } });
} catch (error) {
  tell({ error: sentError(error) });
}

function describe({ set, data }: NamedDataset): SetDescription {
  const { length, x, y } = data;
  const copy = ({ shape, dtype }: typeof x): typeof x => ({ shape: [...shape], dtype });
  return { set, length, x: copy(x), y: copy(y) };
}

/** The first, the last, and others: enough to find out data that is not the same, or not the same twice. */
async function probe(named: NamedDataset): Promise<string> {
  const { length } = named.data;
  const random = randomStream(0, 'probe', named.set, length);
  const drawn = Array.from({ length: probedMax - 2 }, () => Math.floor(random.uniform() * length));
  const indices = [...new Set([0, ...drawn, length - 1])].sort((a, b) => a - b);
  const { x, y } = await readChecked(named, indices, { seed: 0, epoch: 0 });
  return createHash('sha256').update(bytesOf(x)).update(bytesOf(y)).digest('hex');
}

function serve(sets: OpenedData, { port, memory, seed, classes }: Connect): void {
  const to = port as MessagePort;
  const named = (set: NamedDataset): NamedDataset => ({ ...set, ...(classes === undefined ? {} : { classes }) });
  const [train, test] = [named(sets.train), named(sets.test)];
  const read = async ({ role, epoch, indices, ...places }: ReadRequest): Promise<void> => {
    const { x, y } = await readChecked(role === 'train' ? train : test, indices, { seed, epoch });
    const bytes = new Uint8Array(memory);
    bytes.set(bytesOf(x), places.x);
    bytes.set(bytesOf(y), places.y);
  };
  to.on('message', (request: ReadRequest) => {
    const answer = (error?: unknown): void => {
      const message: ReadAnswer = { id: request.id, ...(error === undefined ? {} : { error: sentError(error) }) };
      to.postMessage(message);
    };
    read(request).then(() => answer(), answer);
  });
}

function bytesOf(values: SampleValues): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
