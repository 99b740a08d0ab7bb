import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fault } from '../../agent/faults.js';
import { writeFault, writeFileAtomically } from '../../core/atomic-file.js';
import { systemClock } from '../../core/clock.js';
import { isResultName } from '../../store/results.js';
import { RunFiles, type RunFile } from '../../transport/nats/run-files.js';
import { isOver } from '../../transport/nats/run-ledger.js';
import type { CommandContext } from '../context.js';
import { cliFault } from '../faults.js';
import { natsAccess, type NatsOptions } from '../nats-access.js';
import { recordOf, sayTo, withLedger } from '../queued-runs.js';
import { onSignals } from '../signals.js';
import { megabytes } from '../sizes.js';

/** Whoever waits for more than this is told how far it is. */
const bytesBetweenWords = 64e6;

export interface FetchOptions extends NatsOptions {
  readonly out?: string;
}

/**
 * `lockstep runs fetch`: the folder is there when all of its files are, each with the digest that it has at the agent.
 */
export async function run(name: string, { out, ...nats }: FetchOptions, context: CommandContext): Promise<void> {
  const given = out ?? join('runs', name);
  const folder = resolve(given);
  if (existsSync(folder)) throw cliFault('OUT_IS_THERE', { out: given });
  const say = sayTo(context);
  await withLedger(natsAccess(nats), say, async (ledger, connection) => {
    const record = await recordOf(ledger, name);
    if (!isOver(record)) throw fault('RUN_NOT_OVER', { run: name, state: record.state });
    const ending = { run: name, why: `${record.state}: ${record.why ?? ''}` };
    if (record.agent === undefined) throw fault('NO_RESULTS', { ...ending, where: '' });
    const agent = new RunFiles(connection, record.agent, systemClock);
    const files = await agent.list(name);
    if (files.length === 0) throw fault('NO_RESULTS', { ...ending, where: ` at agent ${record.agent}` });
    const unexpected = files.find((file) => !isResultName(file.name));
    if (unexpected) throw fault('RESULTS_UNEXPECTED', { name: unexpected.name, agent: record.agent });
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    say(`fetching ${files.length} files, ${megabytes(total)}, from agent ${record.agent}`);
    const told = progress(total, say);
    await appearing(folder, async (unfinished) => {
      for (const file of files) {
        const path = join(unfinished, file.name);
        await mkdir(dirname(path), { recursive: true });
        await writeFileAtomically(path, checked(agent.content(name, file), file, record.agent!, told));
      }
    });
    context.stdout.write(`results of run ${name} are in ${given}\n`);
  });
}

/** Makes a folder under another name, which is gone again if that fails or is given up. */
async function appearing(folder: string, fill: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = join(dirname(folder), `.${basename(folder)}.${randomUUID()}.unfinished`);
  const release = onSignals(
    () => void rm(unfinished, { recursive: true, force: true }).finally(() => process.exit(130)),
    () => process.exit(130),
  );
  try {
    await mkdir(unfinished, { recursive: true }).catch((error: unknown) => {
      throw writeFault(folder, error);
    });
    await fill(unfinished);
    await rename(unfinished, folder).catch((error: unknown) => {
      throw writeFault(folder, error);
    });
  } finally {
    release();
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function* checked(
  pieces: AsyncIterable<Uint8Array>,
  { name, sha256 }: RunFile,
  agent: string,
  told: (bytes: number) => void,
): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256');
  for await (const piece of pieces) {
    hash.update(piece);
    told(piece.length);
    yield piece;
  }
  const actual = hash.digest('hex');
  if (actual !== sha256) throw fault('RESULTS_DAMAGED', { name, agent, expected: sha256, actual });
}

function progress(total: number, say: (text: string) => void): (bytes: number) => void {
  let [done, next] = [0, bytesBetweenWords];
  return (bytes) => {
    done += bytes;
    if (done < next || done === total) return;
    next += bytesBetweenWords;
    say(`${megabytes(done)} of ${megabytes(total)}`);
  };
}
