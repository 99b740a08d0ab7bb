import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PublicEvent } from '../live/public-events.js';
import { fault } from '../live/faults.js';
import { pictureVersion, type Picture } from '../live/picture.js';
import { readLines } from '../store/line-file.js';

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
  const isSequence = /^\d+$/.test(since);
  const isAfter = isSequence
    ? ({ sequence }: PublicEvent) => sequence > Number(since)
    : ({ time }: PublicEvent) => Date.parse(time) >= Date.parse(since);
  const events = isUrl(where)
    ? eventsAt(where, isSequence ? since : '0', isFollowing, signal)
    : (readLines(fileIn(where, 'events.jsonl')) as AsyncIterable<PublicEvent>);
  for await (const event of events) if (isAfter(event)) yield event;
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
