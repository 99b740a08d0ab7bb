import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';

import type { Clock } from '../core/clock.js';
import { restoreError } from '../core/sent-error.js';
import { fault as dataFault } from '../data/faults.js';
import type { Connect, DataThreadData, FromDataThread, Opened, Probes } from './data-messages.js';
import { fault } from './faults.js';

/** A module may read whole files before its sets are there. */
const loadLimitMs = 600_000;

export interface DataThreadOptions extends DataThreadData {
  /** How long one `read` may take. */
  readonly readTimeoutMs: number;
}

/**
 * A thread of its own that loads a run's module and reads its samples, so that neither a long read nor one that never
 * returns holds up anybody else.
 */
export class DataThread {
  private settle: { resolve(message: FromDataThread): void; reject(error: Error): void } | undefined;
  private readonly early: FromDataThread[] = [];
  private death: Error | undefined;
  private opened: Opened | undefined;
  private probed: Probes | undefined;

  private constructor(
    private readonly thread: Worker,
    private readonly options: DataThreadOptions,
    private readonly clock: Clock,
  ) {
    thread.on('message', (message: FromDataThread) => {
      if (this.settle) this.settle.resolve(message);
      else this.early.push(message);
    });
    thread.on('error', (error) => this.die(error.message));
    thread.on('exit', (code) => this.die(`exit code ${code}`));
  }

  /**
   * Loads the module, opens its sets, and reads a few samples of each.
   *
   * @throws LockstepError with a code of `ownFaults` or of a user's data set
   */
  static async open(options: DataThreadOptions, clock: Clock): Promise<DataThread> {
    const { path, readTimeoutMs, evaluated } = options;
    const workerData: DataThreadData = { path, evaluated };
    const thread = new Worker(new URL('./data-thread-main.js', import.meta.url), { workerData });
    const self = new DataThread(thread, options, clock);
    try {
      self.opened = await self.next('sets', loadLimitMs, (seconds) => fault('RUN_MODULE_SILENT', { path, seconds }));
      const { probes } = await self.next('probes', readTimeoutMs, (seconds) =>
        dataFault('DATASET_READ_HUNG', { path, set: self.sets.train.set, samples: 'its first samples', seconds }),
      );
      self.probed = probes;
    } catch (error) {
      await self.stop();
      throw error;
    }
    thread.unref(); //                                                whoever waits for samples waits elsewhere
    return self;
  }

  get sets(): Opened['sets'] {
    return this.opened!.sets;
  }

  get probes(): Probes {
    return this.probed!;
  }

  get readTimeoutMs(): number {
    return this.options.readTimeoutMs;
  }

  /** @returns the end of a channel that takes `ReadRequest`s, for an engine thread */
  connect(connection: Omit<Connect, 'port'>): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.thread.postMessage({ ...connection, port: port2 } satisfies Connect, [port2]);
    return port1;
  }

  /** In the middle of a read, too. */
  async stop(): Promise<void> {
    await this.thread.terminate();
  }

  private async next<K extends 'sets' | 'probes'>(
    key: K,
    limitMs: number,
    late: (seconds: number) => Error,
  ): Promise<Extract<FromDataThread, Record<K, unknown>>> {
    if (this.death) throw this.death;
    const message = await new Promise<FromDataThread>((resolve, reject) => {
      const cancel = this.clock.setTimer(limitMs, () => settled(() => reject(late(limitMs / 1000))));
      const settled = (settle: () => void): void => {
        cancel();
        this.settle = undefined;
        settle();
      };
      this.settle = {
        resolve: (found) => settled(() => resolve(found)),
        reject: (error) => settled(() => reject(error)),
      };
      const early = this.early.shift();
      if (early) this.settle.resolve(early);
    });
    if ('error' in message) throw restoreError(message.error);
    if (!(key in message)) throw new Error('the data thread answered out of turn');
    return message as Extract<FromDataThread, Record<K, unknown>>;
  }

  private die(reason: string): void {
    this.death ??= fault('DATA_THREAD_ENDED', { path: this.options.path, reason: reason.split('\n', 1)[0]! });
    this.settle?.reject(this.death);
  }
}
