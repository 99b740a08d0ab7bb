import { inOrder } from '../../agent/queue.js';
import { keptRuns, removeRun, type KeptRun } from '../../store/kept-runs.js';
import type { NatsConnection } from '../../transport/nats/connection.js';
import { deleteEventStream } from '../../transport/nats/event-stream.js';
import { purgeJournal } from '../../transport/nats/journal-stream.js';
import { LogStream } from '../../transport/nats/log-stream.js';
import { isOver, type RunLedger, type RunRecord } from '../../transport/nats/run-ledger.js';
import { ageMs } from '../ages.js';
import type { CommandContext } from '../context.js';
import { cliFault } from '../faults.js';
import { natsAccess, type NatsOptions } from '../nats-access.js';
import { sayTo, stateInWords, withLedger } from '../queued-runs.js';
import { megabytes } from '../sizes.js';

const defaultFolder = 'runs';

export interface RunsOptions extends Partial<NatsOptions> {
  /** A folder here; runs of NATS are not asked for then. */
  readonly dir?: string;
  readonly json?: boolean;
}

export interface PruneOptions extends RunsOptions {
  readonly olderThan?: string;
  readonly keep?: string;
  readonly dryRun?: boolean;
}

/** `lockstep runs` */
export async function list({ dir, json = false, ...nats }: RunsOptions, context: CommandContext): Promise<void> {
  const say = sayTo(context);
  const print = printTo(context, json);
  const access = dir === undefined ? natsAccess(nats) : undefined;
  if (!access) {
    const folder = dir ?? defaultFolder;
    const all = await keptRuns(folder);
    for (const run of all) print(run, keptInWords(run));
    if (all.length === 0) say(`no runs in ${folder}: with --nats URL those in a queue are listed`);
    return;
  }
  await withLedger(access, say, async (ledger) => {
    const all = await recordsIn(ledger);
    const places = await ledger.places.list();
    for (const run of inOrder(all)) {
      const workersThere = places.filter(({ key }) => key.startsWith(`${run.name}.`)).length;
      const { flags: _flags, ...facts } = run;
      const workers = isOver(run) ? '' : `, ${workersThere} of ${run.workers} workers, priority ${run.priority}`;
      print({ ...facts, workersThere }, `${stateInWords(run)}${workers}`);
    }
    if (all.length === 0) say('no runs in NATS: `lockstep launch` puts one into the queue');
  });
}

/** `lockstep runs prune`: only runs that are over, and never all of them by a slip. */
export async function prune(options: PruneOptions, context: CommandContext): Promise<void> {
  const { dir, json = false, dryRun = false, olderThan, keep, ...nats } = options;
  if (olderThan === undefined && keep === undefined)
    throw cliFault('BAD_USAGE', { message: 'which runs? Give --older-than AGE, --keep N or both; --keep 0 means all' });
  const isOld = choice(olderThan, keep);
  const say = sayTo(context);
  const print = printTo(context, json);
  const access = dir === undefined ? natsAccess(nats) : undefined;
  const verb = dryRun ? 'would be removed' : 'removed';
  if (!access) {
    const folder = dir ?? defaultFolder;
    const over = (await keptRuns(folder)).filter(({ state }) => state !== 'going');
    const old = over.filter(({ changedMs }, newer) => isOld(changedMs, newer));
    for (const run of old) {
      if (!dryRun) await removeRun(run.path);
      print(run, keptInWords(run));
    }
    const bytes = old.reduce((sum, run) => sum + run.bytes, 0);
    say(`${old.length} of ${over.length} runs in ${folder} ${verb}, ${megabytes(bytes)}`);
    return;
  }
  await withLedger(access, say, async (ledger, connection) => {
    const over = (await recordsIn(ledger)).filter(isOver).sort((a, b) => endOf(b) - endOf(a));
    const old = over.filter((run, newer) => isOld(endOf(run), newer));
    for (const run of old) {
      if (!dryRun) await forget(run.name, ledger, connection);
      const { flags: _flags, ...facts } = run;
      print(facts, stateInWords(run));
    }
    say(`${old.length} of ${over.length} runs that are over ${verb}; agents remove what they have of them`);
  });
}

/** @returns whether a run goes that ended then, and after which so many others did */
function choice(olderThan = '0d', keep = '0'): (endedMs: number, newer: number) => boolean {
  const leastMs = ageMs('--older-than', olderThan);
  if (!/^\d+$/.test(keep)) throw cliFault('BAD_USAGE', { message: `--keep ${keep}: expected a whole number` });
  return (endedMs, newer) => newer >= Number(keep) && Date.now() - endedMs >= leastMs;
}

/** The entry in the ledger goes last: whoever is interrupted finds it, and begins again. */
async function forget(run: string, ledger: RunLedger, connection: NatsConnection): Promise<void> {
  await ledger.pruned.put(run, { atMs: Date.now() });
  await purgeJournal(connection, run);
  await deleteEventStream(connection, run);
  await (await LogStream.open(connection)).purge(run);
  await ledger.secrets.delete(run);
  await ledger.runs.delete(run);
}

async function recordsIn(ledger: RunLedger): Promise<readonly RunRecord[]> {
  return (await ledger.runs.list()).map(({ value }) => value);
}

/** Of runs that ended under an earlier version only their beginning is known. */
function endOf({ endedMs, submittedMs }: RunRecord): number {
  return endedMs ?? submittedMs;
}

function printTo({ stdout }: CommandContext, json: boolean): (facts: object, words: string) => void {
  return (facts, words) => void stdout.write(`${json ? JSON.stringify(facts) : words}\n`);
}

function keptInWords({ name, state, bytes, changedMs }: KeptRun): string {
  const when = new Date(changedMs).toISOString().slice(0, 16).replace('T', ' ');
  return `${name}  ${state}  ${megabytes(bytes)}  ${when}`;
}
