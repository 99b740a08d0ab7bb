import type { Channel, FromCoordinator, FromWorker, Hello, Welcome } from '../cluster/session.js';
import type { Clock } from '../core/clock.js';
import type { RandomStream } from '../core/random.js';

/**
 * The first pause before the stream is opened again; each next one is twice as long, up to the longest. An attempt at a port
 * that nobody has costs a millisecond, and until a coordinator is back no change of membership can be made.
 */
const firstPauseMs = 50;
const longestPauseMs = 250;
/** How long the coordinator may take from the opening of a stream to its Welcome: it may still be reading its data set. */
const welcomeMs = 20_000;

export interface CoordinatorStreamNeeds {
  readonly hello: Hello;
  /** Opens a stream to the coordinator, wherever it is now. */
  dial(): Promise<Channel<FromWorker, FromCoordinator>>;
  readonly clock: Clock;
  /** Jitter of the pauses, so that not all workers come back at the same moment. */
  readonly random: RandomStream;
}

export interface CoordinatorStreamEvents {
  /** The coordinator has let us in, for the first time or again: what it missed can be said now. */
  attached(welcome: Welcome): void;
  message(message: Exclude<FromCoordinator, Welcome>): void;
  /** Nothing can be said until `attached`. Called once each time that the stream is lost. */
  detached(reason: string): void;
}

/**
 * The stream to the coordinator, over the life of several coordinators: when it breaks it is opened again, with growing
 * pauses, until somebody closes it. What is said in between is dropped; who uses it says on `attached` what still counts.
 */
export class CoordinatorStream {
  private channel: Channel<FromWorker, FromCoordinator> | undefined;
  private isAttached = false;
  private isClosed = false;
  /** Attempts since the coordinator was last heard of. */
  private failures = 0;
  private cancelTimer: () => void = () => undefined;

  constructor(
    private readonly needs: CoordinatorStreamNeeds,
    private readonly events: CoordinatorStreamEvents,
  ) {}

  start(): void {
    void this.open();
  }

  /** Whether the coordinator hears what is said. */
  get isOpen(): boolean {
    return this.isAttached;
  }

  /** Drops the message while there is no coordinator. */
  send(message: FromWorker): void {
    if (this.isAttached) this.channel?.send(message);
  }

  /** For good, when what was sent has left. */
  close(): void {
    this.isClosed = true;
    this.isAttached = false;
    this.cancelTimer();
    this.channel?.close();
    this.channel = undefined;
  }

  private async open(): Promise<void> {
    let channel: Channel<FromWorker, FromCoordinator>;
    try {
      channel = await this.needs.dial();
    } catch (error) {
      return this.lost(undefined, (error as Error).message);
    }
    if (this.isClosed) return channel.close();
    this.channel = channel;
    channel.listen({
      message: (message) => this.onMessage(channel, message),
      closed: (reason) => this.lost(channel, reason),
    });
    channel.send(this.needs.hello);
    this.after(welcomeMs, () => {
      channel.close();
      this.lost(channel, `it did not answer within ${welcomeMs / 1000} s`);
    });
  }

  private onMessage(channel: Channel<FromWorker, FromCoordinator>, message: FromCoordinator): void {
    if (channel !== this.channel) return; //                         of a stream that was given up
    if (message.kind !== 'welcome') return this.events.message(message);
    this.cancelTimer();
    this.failures = 0;
    this.isAttached = true;
    this.events.attached(message);
  }

  private lost(channel: Channel<FromWorker, FromCoordinator> | undefined, reason: string): void {
    if (this.isClosed || channel !== this.channel) return;
    const isNews = this.isAttached || this.failures === 0;
    this.channel = undefined;
    this.isAttached = false;
    this.failures += 1;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * (1 << Math.min(this.failures - 1, 10)));
    this.after(pauseMs * (0.5 + this.needs.random.uniform() / 2), () => void this.open());
    if (isNews) this.events.detached(reason);
  }

  private after(delayMs: number, run: () => void): void {
    this.cancelTimer();
    this.cancelTimer = this.needs.clock.setTimer(delayMs, run);
  }
}
