import type { ConsumerMessages, NatsConnection, StoredMsg } from 'nats';
import type { Clock } from '../../core/clock.js';
import type { PublicEvent } from '../../live/public-events.js';
import { isMissing } from './connection.js';
import { eventSubjects, streamOf } from './event-subjects.js';
import { answered, managerOf } from './requests.js';

/** Messages of one request. */
const atOnce = 500;
/** How long a request waits for the next message. */
const requestMs = 3_000;
/** When the server does not even say that there is none, it is gone, or has forgotten the request. */
const silenceMs = requestMs + 2_000;
/** Until the next attempt while the server is out of reach. */
const pauseMs = 500;

/**
 * The events that the stream of `run` keeps, in order; none if there is no stream. With a signal also those that come,
 * until it: a server that goes away and comes back costs none.
 */
export async function* readEventStream(
  connection: NatsConnection,
  run: string,
  clock: Clock,
  until?: AbortSignal,
): AsyncIterable<PublicEvent> {
  const newest = (await newestMessage(connection, run))?.seq ?? 0;
  for (let next = 1; until ? !until.aborted : next <= newest;) {
    try {
      for await (const { sequence, event } of batch(connection, run, next, clock, until)) {
        next = sequence + 1;
        yield event;
        if (!until && next > newest) return;
      }
    } catch (error) {
      if (!until) throw error;
      if (!until.aborted) await new Promise<void>((resolve) => void clock.setTimer(pauseMs, resolve));
    }
  }
}

/** The last one that was told of any run of this name. */
export async function newestEvent(connection: NatsConnection, run: string): Promise<PublicEvent | undefined> {
  return (await newestMessage(connection, run))?.json<PublicEvent>();
}

async function newestMessage(connection: NatsConnection, run: string): Promise<StoredMsg | undefined> {
  const { streams } = await managerOf(connection);
  const query = { last_by_subj: eventSubjects(run) };
  return answered(() => streams.getMessage(streamOf(run), query)).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}

async function* batch(
  connection: NatsConnection,
  run: string,
  from: number,
  clock: Clock,
  until: AbortSignal | undefined,
): AsyncIterable<{ readonly sequence: number; readonly event: PublicEvent }> {
  // The client itself waits for ever for a server that was killed meanwhile.
  const begin = async (): Promise<ConsumerMessages> => {
    const which = { filterSubjects: eventSubjects(run), opt_start_seq: from };
    const consumer = await connection.jetstream().consumers.get(streamOf(run), which);
    return consumer.fetch({ max_messages: atOnce, expires: requestMs });
  };
  const messages = await within(clock, begin());
  const stop = (): void => messages.stop();
  until?.addEventListener('abort', stop);
  try {
    // Nor does it always end when it is told to stop while the server is away: whoever is silent for too long is left alone.
    const arriving = messages[Symbol.asyncIterator]();
    for (;;) {
      const next = await within(clock, arriving.next());
      if (next.done) return;
      yield { sequence: next.value.seq, event: next.value.json<PublicEvent>() };
    }
  } finally {
    until?.removeEventListener('abort', stop);
    stop();
  }
}

async function within<T>(clock: Clock, promise: Promise<T>): Promise<T> {
  let cancel!: () => void;
  const late = new Promise<never>((_, reject) => {
    cancel = clock.setTimer(silenceMs, () => reject(new Error(`NATS has not answered for ${silenceMs / 1000} s`)));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
    promise.catch(() => undefined); //                              it may still fail when nobody waits any more
  }
}
