import type { ClientReadableStream } from '@grpc/grpc-js';
import type { Frame } from '../../collective/frame.js';
import { Inbox } from '../../collective/inbox.js';
import type { Link } from '../../collective/link.js';
import type { Begin } from '../../cluster/messages.js';
import { reasonOf } from './channels.js';
import { encodeFrame } from './frame-codec.js';
import { Outlet } from './outlet.js';

/** Opens the stream on which a peer's frames come. */
export type OpenPull = (address: string) => ClientReadableStream<Frame>;

/** What a link tells its owner. */
export interface LinkEvents {
  /** A peer's stream broke. It is not for us to judge what that means: the coordinator does. */
  peerGone(rank: number, reason: string): void;
  /** A frame that should not exist: the round is lost. */
  violated(error: Error): void;
}

/** The streams between this rank and the others of one generation: each pulls from each. */
export class GrpcLink implements Link {
  readonly worldSize: number;
  readonly inbox: Inbox;
  /** By rank; our own stays unused. */
  readonly outlets: readonly Outlet[];
  private readonly pulls: ClientReadableStream<Frame>[] = [];
  isClosed = false;
  receivedBytes = 0;

  constructor(
    readonly rank: number,
    private readonly begin: Begin,
    private readonly events: LinkEvents,
  ) {
    this.worldSize = begin.members.length;
    this.inbox = new Inbox(begin.generation.number, this.worldSize);
    this.outlets = begin.members.map(() => new Outlet());
  }

  open(openPull: OpenPull): void {
    for (const [rank, member] of this.begin.members.entries())
      if (rank !== this.rank) this.pull(rank, openPull(member.address));
  }

  send(to: number, frame: Frame): Promise<void> {
    return this.outlets[to]!.send(encodeFrame(frame));
  }

  get sentBytes(): number {
    return this.outlets.reduce((sum, outlet) => sum + outlet.sentBytes, 0);
  }

  /** Ends the generation: whatever waits is abandoned, nothing is sent or accepted any more. */
  close(reason: string): void {
    this.isClosed = true;
    this.inbox.close(reason);
    for (const outlet of this.outlets) outlet.close(reason);
    for (const pull of this.pulls) pull.cancel();
  }

  private pull(rank: number, stream: ClientReadableStream<Frame>): void {
    this.pulls.push(stream);
    stream.on('data', (frame: Frame) => {
      this.receivedBytes += frame.payload.byteLength;
      try {
        this.inbox.deliver(rank, frame);
      } catch (error) {
        this.events.violated(error as Error);
      }
    });
    const gone = (reason: string): void => {
      if (!this.isClosed) this.events.peerGone(rank, reason);
    };
    stream.on('error', (error) => gone(reasonOf(error)));
    stream.on('end', () => gone('it ended its stream'));
  }
}
