import { fault } from '../agent/faults.js';
import { connectNats, type NatsAccess, type NatsConnection } from '../transport/nats/connection.js';
import { isOver, RunLedger, type RunRecord, type RunRequest } from '../transport/nats/run-ledger.js';
import { systemClock } from '../core/clock.js';
import type { PublicEvent } from '../live/public-events.js';
import type { CommandContext } from './context.js';
import { readEventsInNats } from './run-source.js';

/** What commands that look at the queue have in common. */

const lookMs = 500;

export type Say = (text: string) => void;

export const sayTo =
  ({ stderr }: Pick<CommandContext, 'stderr'>): Say =>
  (text) =>
    void stderr.write(`${text}\n`);

/** Connects, and closes afterwards. @throws LockstepError `NATS_UNREACHABLE` */
export async function withLedger<Result>(
  access: NatsAccess,
  say: Say,
  work: (ledger: RunLedger, connection: NatsConnection) => Promise<Result>,
): Promise<Result> {
  const connection = await connectNats(access, 'lockstep', { log: { info: say, warn: say } });
  try {
    return await work(await RunLedger.open(connection), connection);
  } finally {
    await connection.close();
  }
}

/**
 * Asks for a run. This is one write, so that a launcher may die at any moment: the place in the queue and the keys follow from
 * the record, and are the agents' part.
 *
 * @throws LockstepError `RUN_NAME_TAKEN`
 */
export async function submit(request: Omit<RunRequest, 'submittedMs'>, { runs }: RunLedger): Promise<void> {
  const { name } = request;
  if (!(await runs.create(name, { ...request, submittedMs: Date.now(), state: 'submitted' })))
    throw fault('RUN_NAME_TAKEN', { run: name, state: (await runs.get(name))?.value.state ?? 'gone' });
}

/** Asks a run to end. @returns its record then; undefined if there is none */
export function askToStop(ledger: RunLedger, run: string): Promise<RunRecord | undefined> {
  return ledger.change(run, (record) => (isOver(record) || record.stop === true ? record : { ...record, stop: true }));
}

/** @throws LockstepError `NO_SUCH_RUN` */
export async function recordOf(ledger: RunLedger, run: string): Promise<RunRecord> {
  const entry = await ledger.runs.get(run);
  if (!entry) throw fault('NO_SUCH_RUN', { run });
  return entry.value;
}

/** What somebody who follows a run is told; an event may come again after NATS was away. */
export interface Following {
  changed(record: RunRecord): void;
  happened(event: PublicEvent): void;
}

/** A line for each thing that changes. */
export function inWordsTo(say: Say): Following {
  let told = '';
  return {
    changed: (record) => {
      const line = stateInWords(record);
      if (line !== told) say((told = line));
    },
    happened: (event) => say(eventInWords(event)),
  };
}

/**
 * Follows a run from the queue to its end. NATS may go away and come back meanwhile.
 *
 * @returns undefined if it was given up before
 */
export async function follow(
  access: NatsAccess,
  ledger: RunLedger,
  run: string,
  signal: AbortSignal,
  following: Following,
): Promise<RunRecord | undefined> {
  let isReading = false;
  const events = new AbortController();
  const stop = (): void => events.abort();
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted) {
      const record = await recordOf(ledger, run).catch((error: unknown) => {
        if ((error as { code?: string }).code === 'NO_SUCH_RUN') throw error;
        return undefined; //                                          NATS is away: the connection says so
      });
      if (record) following.changed(record);
      if (record && isOver(record)) return record;
      if (record?.state === 'running' && !isReading) {
        isReading = true;
        void readAlong(access, run, events.signal, following, () => (isReading = false));
      }
      await new Promise<void>((resolve) => void systemClock.setTimer(lookMs, resolve));
    }
    return undefined;
  } finally {
    signal.removeEventListener('abort', stop);
    events.abort();
  }
}

/** Until a coordinator has told anything there is nothing to read: then it is tried again. */
async function readAlong(
  access: NatsAccess,
  run: string,
  signal: AbortSignal,
  following: Following,
  onEnd: () => void,
): Promise<void> {
  const quiet = { info: () => undefined, warn: () => undefined };
  try {
    for await (const event of readEventsInNats(access, run, '0', true, signal, quiet)) following.happened(event);
  } catch {
    onEnd();
  }
}

export function stateInWords({ name, state, why }: RunRecord): string {
  const reason = state === 'submitted' ? 'it waits for an agent' : why;
  return `run ${name} is ${state}${reason === undefined || reason === '' ? '' : `: ${reason}`}`;
}

function eventInWords({ type, time, schema: _schema, sequence: _sequence, run: _run, ...facts }: PublicEvent): string {
  const words = Object.entries(facts).map(
    ([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  );
  return `${time.slice(11, 19)} ${type}${words.length === 0 ? '' : `: ${words.join(', ')}`}`;
}
