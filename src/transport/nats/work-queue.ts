import type { ConsumerInfo, JsMsg, NatsConnection } from 'nats';
import { isMissing } from './connection.js';
import type { RunRequest } from './run-ledger.js';
import { answered, attemptMs, managerOf } from './requests.js';

const stream = 'LOCKSTEP_WORK';
const subject = 'lockstep.work';
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
    await answered(() => streams.add({ name: stream, subjects: [subject], retention: RetentionPolicy.Workqueue }));
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

  /** @returns when the server has stored it; the same run twice within two minutes counts once, another of its name does not */
  async submit({ name: run, submittedMs }: Pick<RunRequest, 'name' | 'submittedMs'>): Promise<void> {
    const options = { msgID: `${run} ${submittedMs}`, timeout: attemptMs };
    await answered(() => this.connection.jetstream().publish(subject, JSON.stringify({ run }), options));
  }

  /** The next run that nobody has charge of; undefined if there is none at the moment. */
  async next(): Promise<Charge | undefined> {
    const consumer = await this.connection.jetstream().consumers.get(stream, durable);
    const message: JsMsg | null = await consumer.next({ expires: waitMs });
    if (!message) return undefined;
    const { run } = message.json<{ run: string }>();
    return { run, keep: () => message.working(), done: () => message.ack() };
  }
}

function isNoConsumer(error: unknown): boolean {
  return (error as { api_error?: { err_code?: number } }).api_error?.err_code === 10014;
}
