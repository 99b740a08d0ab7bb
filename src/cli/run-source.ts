import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../core/clock.js';
import type { PublicEvent } from '../live/public-events.js';
import { fault } from '../live/faults.js';
import { pictureVersion, type Picture } from '../live/picture.js';
import { readLines } from '../store/line-file.js';
import { connectNats, type NatsAccess, type NatsOnlooker } from '../transport/nats/connection.js';
import { newestEvent, readEventStream } from '../transport/nats/read-events.js';

/** A coordinator answers in milliseconds, or it is busy with something worse than we are. */
const patienceMs = 10_000;

/** A run that goes on, at a URL, or one that is over, in a folder. */
function isUrl(where: string): boolean {
  return /^https?:\/\//.test(where);
}

/** @throws LockstepError `NO_RUN_THERE` */
export async function readPicture(where: string): Promise<Picture> {
  const picture = (
    isUrl(where) ? await (await ask(where, '/api/picture')).json() : await readJson(where, 'picture.json')
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
 * @throws LockstepError `NO_RUN_THERE`
 */
export async function* readEvents(
  where: string,
  since: string,
  isFollowing: boolean,
  signal: AbortSignal,
): AsyncIterable<PublicEvent> {
  const events = isUrl(where)
    ? eventsAt(where, /^\d+$/.test(since) ? since : '0', isFollowing, signal)
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
  url: string,
  since: string,
  isFollowing: boolean,
  signal: AbortSignal,
): AsyncIterable<PublicEvent> {
  const response = await ask(url, `/api/events?since=${since}&follow=${String(isFollowing)}`, signal);
  let held = '';
  try {
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const lines = `${held}${text}`.split('\n');
      held = lines.pop()!;
      for (const line of lines) yield JSON.parse(line) as PublicEvent;
    }
  } catch (error) {
    if (!signal.aborted) throw fault('NO_RUN_THERE', { where: url, reason: reasonOf(error) }, error);
  }
}

async function ask(url: string, path: string, signal?: AbortSignal): Promise<Response> {
  try {
    const response = await fetch(new URL(path, url), { signal: signal ?? AbortSignal.timeout(patienceMs) });
    if (!response.ok) throw new Error(`it answers ${response.status}`);
    return response;
  } catch (error) {
    throw fault('NO_RUN_THERE', { where: url, reason: reasonOf(error) }, error);
  }
}

async function readJson(folder: string, name: string): Promise<unknown> {
  return JSON.parse(await readFile(fileIn(folder, name), 'utf8'));
}

function fileIn(folder: string, name: string): string {
  const path = join(folder, name);
  if (existsSync(path)) return path;
  throw fault('NO_RUN_THERE', { where: folder, reason: `it has no ${name}` });
}

/** fetch hides why it failed in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
