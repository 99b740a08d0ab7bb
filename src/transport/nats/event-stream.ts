import { headers, type JetStreamManager, type MsgHdrs, type NatsConnection, type StoredMsg } from 'nats';
import type { Clock } from '../../core/clock.js';
import { streamLimits, type PublicEvent } from '../../live/public-events.js';
import { isConflict, isMissing, isUncertain } from './connection.js';
import { eventSubject, eventSubjects, streamOf, termSubject } from './event-subjects.js';
import { readEventStream } from './read-events.js';
import { answered, attemptMs, managerOf, unlessMissing } from './requests.js';

const { keptPerTypeMax, keptMax, keptDays, waitingMax } = streamLimits;
/** Until an event that was not stored is sent again. */
const pauseMs = 250;
const writerHeader = 'Lockstep-Writer';

export interface EventStreamOptions {
  /** Name of the run in NATS. */
  readonly run: string;
  readonly runId: string;
  /** Tells this process's messages from those of others. */
  readonly writer: string;
}

export interface EventStreamNeeds {
  readonly clock: Clock;
  readonly log: { info(text: string): void; warn(text: string): void };
  /** Told, while it opens, each event of this run that the stream has already, in order. */
  readonly onEarlier: (event: PublicEvent) => void;
  /** Told how many events are not stored yet. */
  readonly onWaiting: (waiting: number) => void;
  /** An event waited for too long. */
  readonly onGivenUp: () => void;
}

/**
 * A run's events in a JetStream stream of its own. Nobody waits for it: events queue up here, and one after the other goes
 * out with the stream's last sequence number, so that what is stored has neither a gap nor a repetition. Whoever takes over
 * begins with a message on `lockstep.<run>.term.events`, after which nothing that the one before still sends is accepted.
 */
export class EventStream {
  private readonly waiting: PublicEvent[] = [];
  private hasGivenUp = false;
  private isSending = false;
  private isClosed = false;
  /** Called when nothing waits any more. */
  private onEmpty: () => void = () => undefined;

  private constructor(
    private readonly connection: NatsConnection,
    private readonly manager: JetStreamManager,
    private readonly options: EventStreamOptions,
    private readonly needs: EventStreamNeeds,
    /** The stream's last message, as far as this process knows. */
    private lastSequence: number,
    /** Sequence of the newest event that was there before; 0 without one. */
    readonly lastEarlier: number,
  ) {}

  static async open(
    connection: NatsConnection,
    options: EventStreamOptions,
    needs: EventStreamNeeds,
  ): Promise<EventStream> {
    const manager = await managerOf(connection);
    await answered(() => makeStream(manager, options.run));
    const { writer, run, runId } = options;
    const payload = JSON.stringify({ writer, runId });
    const term = { headers: writtenBy(writer), timeout: attemptMs };
    const { seq } = await answered(() => connection.jetstream().publish(termSubject(run), payload, term));
    let lastEarlier = 0;
    for await (const event of readEventStream(connection, run, needs.clock)) {
      if (event.run !== runId) continue; //                           of an earlier run under this name
      needs.onEarlier(event);
      lastEarlier = event.sequence;
    }
    return new EventStream(connection, manager, options, needs, seq, lastEarlier);
  }

  publish(event: PublicEvent): void {
    if (this.isClosed) return;
    this.waiting.push(event);
    if (this.waiting.length > waitingMax) {
      this.waiting.shift();
      if (!this.hasGivenUp) this.needs.log.warn('NATS is out of reach for so long that it will not get all events');
      this.hasGivenUp = true;
      this.needs.onGivenUp();
    }
    this.needs.onWaiting(this.waiting.length);
    void this.send();
  }

  /** Waits until everything is stored, but not for ever. */
  async close(limitMs: number): Promise<void> {
    if (this.waiting.length > 0 && !this.isClosed)
      await new Promise<void>((resolve) => {
        const cancel = this.needs.clock.setTimer(limitMs, resolve);
        this.onEmpty = () => {
          cancel();
          resolve();
        };
      });
    this.isClosed = true;
    const { length } = this.waiting;
    if (length > 0) this.needs.log.warn(`${length} events did not reach NATS; events.jsonl has them`);
  }

  private async send(): Promise<void> {
    if (this.isSending) return;
    this.isSending = true;
    for (let event = this.waiting[0]; event && !this.isClosed; event = this.waiting[0]) {
      const isSettled = await this.deliver(event);
      if (isSettled && this.waiting[0] === event) this.waiting.shift(); // it may have been given up meanwhile
      this.needs.onWaiting(this.waiting.length);
      if (!isSettled) await new Promise<void>((resolve) => void this.needs.clock.setTimer(pauseMs, resolve));
    }
    this.isSending = false;
    this.onEmpty();
  }

  /** @returns whether nothing is left to do for the event */
  private async deliver(event: PublicEvent): Promise<boolean> {
    const { run, writer } = this.options;
    const msgID = `${event.run}/${event.sequence}/${writer}`;
    try {
      const stored = await this.connection.jetstream().publish(eventSubject(run, event.type), JSON.stringify(event), {
        msgID,
        headers: writtenBy(writer),
        timeout: attemptMs,
        expect: { lastSequence: this.lastSequence },
      });
      this.lastSequence = stored.seq; //                              also if it was there, and its answer had been lost
      return true;
    } catch (error) {
      if (isConflict(error)) return this.settle(msgID).catch(() => false);
      if (isUncertain(error)) {
        await makeStream(this.manager, run).catch(() => undefined); // a server that lost its disk knows no stream any more
        return false;
      }
      this.needs.log.warn(`event ${event.sequence} is not kept in NATS: ${(error as Error).message}`);
      return true;
    }
  }

  /** The stream's last message is not the one that we knew. @returns whether nothing is left to do for the event */
  private async settle(msgID: string): Promise<boolean> {
    const { state } = await this.manager.streams.info(streamOf(this.options.run));
    const last = await this.lastMessage(state.last_seq);
    const writer = last?.header?.get(writerHeader) ?? ''; //           empty: a message of somebody who is no coordinator
    if (writer !== '' && writer !== this.options.writer) {
      this.isClosed = true;
      this.waiting.length = 0;
      this.needs.log.info('another coordinator tells the events of this run now');
      return true;
    }
    this.lastSequence = state.last_seq;
    return last?.header?.get('Nats-Msg-Id') === msgID;
  }

  /** @returns undefined if the stream is empty, as on a server that lost its disk */
  private async lastMessage(seq: number): Promise<StoredMsg | undefined> {
    if (seq === 0) return undefined;
    return this.manager.streams.getMessage(streamOf(this.options.run), { seq }).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
  }
}

/** Harmless where it is there. */
async function makeStream(manager: JetStreamManager, run: string): Promise<void> {
  await manager.streams
    .add({
      name: streamOf(run),
      description: `Events of the run ${run}: docs/events.md of lockstep`,
      subjects: [eventSubjects(run), termSubject(run)],
      max_msgs_per_subject: keptPerTypeMax,
      max_msgs: keptMax,
      max_age: keptDays * 86_400e9, //                                 nanoseconds
    })
    .catch((error: unknown) => {
      const madeOtherwise = 10058; //                                   by another version, or by somebody who wants other limits
      if ((error as { api_error?: { err_code?: number } }).api_error?.err_code !== madeOtherwise) throw error;
    });
}

/** Removes what was told of a run that is over. */
export async function deleteEventStream(connection: NatsConnection, run: string): Promise<void> {
  const { streams } = await managerOf(connection);
  await answered(() => streams.delete(streamOf(run))).catch(unlessMissing);
}

function writtenBy(writer: string): MsgHdrs {
  const header = headers();
  header.set(writerHeader, writer);
  return header;
}
