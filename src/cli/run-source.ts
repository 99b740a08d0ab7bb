import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { systemClock } from '../core/clock.js';
import type { PublicEvent } from '../live/public-events.js';
import { fault } from '../live/faults.js';
import { pictureVersion, type Picture } from '../live/picture.js';
import { readLines } from '../store/line-file.js';
import { connectNats, type NatsAccess, type NatsOnlooker } from '../transport/nats/connection.js';
import { newestEvent, readEventStream } from '../transport/nats/read-events.js';
import { askRun, type RunAddress } from './ask-run.js';

/** A coordinator answers in milliseconds, or it is busy with something worse than we are. */
const patienceMs = 10_000;

/** A run that goes on, at a URL, or one that is over, in a folder. */
function isUrl(where: string): boolean {
  return /^https?:\/\//.test(where);
}

/** @throws LockstepError `NO_RUN_THERE` */
export async function readPicture(where: string, ca?: string): Promise<Picture> {
  const picture = (
    isUrl(where)
      ? await json(await ask({ url: where, ca }, '/api/picture', AbortSignal.timeout(patienceMs)))
      : await readJson(where, 'picture.json')
  ) as Picture | { readonly version: number };
  if (!isOurs(picture)) {
    const reason = `its picture has version ${picture.version}, not ${pictureVersion}`;
    throw fault('NO_RUN_THERE', { where, reason });
  }
  return picture;
}

function isOurs(picture: Picture | { readonly version: number }): picture is Picture {
  return picture.version === pictureVersion;
}

/**
 * The events of a run after `since`, and those that come if it goes on and `isFollowing`.
 *
 * @param since - a sequence, or a time in ISO 8601
 * @param ca - PEM of the authority of a run that goes on
 * @throws LockstepError `NO_RUN_THERE`
 */
export async function* readEvents(
  where: string,
  since: string,
  isFollowing: boolean,
  signal: AbortSignal,
  ca?: string,
): AsyncIterable<PublicEvent> {
  const events = isUrl(where)
    ? eventsAt({ url: where, ca }, /^\d+$/.test(since) ? since : '0', isFollowing, signal)
    : (readLines(fileIn(where, 'events.jsonl')) as AsyncIterable<PublicEvent>);
  const isWanted = isAfter(since);
  for await (const event of events) if (isWanted(event)) yield event;
}

/**
 * As `readEvents`, of the newest run that had the name `run` in NATS. Ends with the run.
 *
 * @throws LockstepError `NATS_UNREACHABLE`, `NO_RUN_THERE`
 */
export async function* readEventsInNats(
  access: NatsAccess,
  run: string,
  since: string,
  isFollowing: boolean,
  signal: AbortSignal,
  log: NatsOnlooker['log'],
): AsyncIterable<PublicEvent> {
  const connection = await connectNats(access, 'lockstep events', { log });
  try {
    const newest = await newestEvent(connection, run);
    if (!newest) throw fault('NO_RUN_THERE', { where: `${run} in NATS`, reason: 'no event of it is kept there' });
    const isWanted = isAfter(since);
    for await (const event of readEventStream(connection, run, systemClock, isFollowing ? signal : undefined)) {
      if (event.run !== newest.run) continue;
      if (isWanted(event)) yield event;
      if (isFollowing && event.sequence >= newest.sequence && isLast(event)) return;
    }
  } finally {
    await connection.close();
  }
}

/** A run that ends with a failure or an interruption may be resumed: only what ends the newest life of it counts. */
function isLast({ type }: PublicEvent): boolean {
  return type === 'finished' || type === 'failed';
}

/** @param since - a sequence, or a time in ISO 8601 */
function isAfter(since: string): (event: PublicEvent) => boolean {
  if (/^\d+$/.test(since)) return ({ sequence }) => sequence > Number(since);
  return ({ time }) => Date.parse(time) >= Date.parse(since);
}

async function* eventsAt(
  address: RunAddress,
  since: string,
  isFollowing: boolean,
  signal: AbortSignal,
): AsyncIterable<PublicEvent> {
  const answer = await ask(address, `/api/events?since=${since}&follow=${String(isFollowing)}`, signal);
  let held = '';
  try {
    for await (const text of answer.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = `${held}${text}`.split('\n');
      held = lines.pop()!;
      for (const line of lines) yield JSON.parse(line) as PublicEvent;
    }
  } catch (error) {
    if (!signal.aborted) throw fault('NO_RUN_THERE', { where: address.url, reason: (error as Error).message }, error);
  }
}

async function ask(address: RunAddress, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  return askRun(address, path, signal).catch((error: unknown) => {
    throw fault('NO_RUN_THERE', { where: address.url, reason: (error as Error).message }, error);
  });
}

async function readJson(folder: string, name: string): Promise<unknown> {
  return JSON.parse(await readFile(fileIn(folder, name), 'utf8'));
}

function fileIn(folder: string, name: string): string {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  throw fault('NO_RUN_THERE', { where: folder, reason: `it has no ${name}` });
}
