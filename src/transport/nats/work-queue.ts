import type { ConsumerInfo, JsMsg, NatsConnection } from 'nats';
import { isConflict, isMissing } from './connection.js';
import { answered, attemptMs, managerOf } from './requests.js';

const stream = 'LOCKSTEP_QUEUE';
/** Each run has a subject of its own, so that the server can tell whether it has a place. */
const prefix = 'lockstep.queue.';
const durable = 'agents';
/** An agent that says nothing for so long has lost what it held: another one gets it. */
const ackMs = 10_000;
/** How long one request waits for work. */
const waitMs = 1_000;

/** A run that wants a coordinator, in the hands of one agent. */
export interface Charge {
  readonly run: string;
  /** That the agent still has it. */
  keep(): void;
  /** The run is over. */
  done(): void;
}

/** The queue of runs: each is given to one agent, and again to another one if that agent is lost before the run is over. */
export class WorkQueue {
  private constructor(private readonly connection: NatsConnection) {}

  static async open(connection: NatsConnection): Promise<WorkQueue> {
    const { streams, consumers } = await managerOf(connection);
    const { AckPolicy, RetentionPolicy } = await import('nats');
    await answered(() => streams.add({ name: stream, subjects: [`${prefix}*`], retention: RetentionPolicy.Workqueue }));
    const asked = answered(() => consumers.info(stream, durable));
    const found: ConsumerInfo | undefined = await asked.catch((error: unknown) => {
      if (isMissing(error) || isNoConsumer(error)) return undefined;
      throw error;
    });
    const options = {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      ack_wait: ackMs * 1_000_000, //                                 nanoseconds
      max_deliver: -1,
      max_ack_pending: 10_000,
    };
    if (!found) await answered(() => consumers.add(stream, options));
    return new WorkQueue(connection);
  }

  /** Gives a run a place in the queue, unless it has one: whoever has charge of it keeps it there until it is over. */
  async put(run: string): Promise<void> {
    const onlyOne = { expect: { lastSubjectSequence: 0 }, timeout: attemptMs };
    try {
      await answered(() => this.connection.jetstream().publish(`${prefix}${run}`, '', onlyOne));
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }

  /** The next run that nobody has charge of; undefined if there is none at the moment. */
  async next(): Promise<Charge | undefined> {
    const consumer = await this.connection.jetstream().consumers.get(stream, durable);
    const message: JsMsg | null = await consumer.next({ expires: waitMs });
    if (!message) return undefined;
    const run = message.subject.slice(prefix.length);
    return { run, keep: () => message.working(), done: () => message.ack() };
  }
}

function isNoConsumer(error: unknown): boolean {
  return (error as { api_error?: { err_code?: number } }).api_error?.err_code === 10014;
}
