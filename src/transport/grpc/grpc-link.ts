import { describeRound, type Frame, type Round } from '../../collective/frame.js';
import { Inbox } from '../../collective/inbox.js';
import type { Link } from '../../collective/link.js';
import type { Begin } from '../../cluster/messages.js';
import type { Clock } from '../../core/clock.js';
import { fault } from '../faults.js';
import { MalformedFrame, readFrame, type ReadFrame } from './frame-codec.js';
import { Outlet } from './outlet.js';
import type { PullEvents, PullStream } from './pull-stream.js';
import { runKeyOf } from './run-key.js';

/** Silence of a peer that reads, seen from one that writes, after which it is told by name. */
const stallMs = 30_000;

/** Opens the stream on which a peer's frames come. */
export type OpenPull = (address: string, events: PullEvents) => PullStream;

/** What a link tells its owner. */
export interface LinkEvents {
  /** A peer's stream broke. It is not for us to judge what that means: the coordinator does. */
  peerGone(rank: number, reason: string): void;
  /** A frame that should not exist, or a peer that reads nothing: the round is lost. */
  violated(error: Error): void;
}

export interface LinkOptions {
  readonly rank: number;
  readonly runId: string;
  readonly begin: Begin;
  /** Whether frames carry a checksum. All members agree on it. */
  readonly checksum: boolean;
  readonly clock: Clock;
}

/** The streams between this rank and the others of one generation: each pulls from each. */
export class GrpcLink implements Link {
  readonly rank: number;
  readonly worldSize: number;
  readonly inbox: Inbox;
  /** By rank; our own stays unused. */
  readonly outlets: readonly Outlet[];
  private readonly pulls: PullStream[] = [];
  private readonly runKey: Buffer;
  /** The last round of which we sent something. */
  private round: Round | undefined;
  isClosed = false;
  receivedBytes = 0;

  constructor(
    private readonly options: LinkOptions,
    private readonly events: LinkEvents,
  ) {
    const { rank, runId, begin, checksum, clock } = options;
    this.rank = rank;
    this.worldSize = begin.members.length;
    this.inbox = new Inbox(begin.generation.number);
    const runKey = (this.runKey = runKeyOf(runId));
    this.outlets = begin.members.map((_, peer) => {
      const onStalled = (): void => this.onStalled(peer);
      return new Outlet({ runKey, checksum, clock, stallMs, onStalled });
    });
  }

  open(openPull: OpenPull): void {
    for (const [rank, member] of this.options.begin.members.entries())
      if (rank !== this.rank) this.pull(rank, openPull, member.address);
  }

  send(to: number, frame: Frame): Promise<void> {
    this.round = frame.round;
    return this.outlets[to]!.send(frame);
  }

  get sentBytes(): number {
    return this.outlets.reduce((sum, outlet) => sum + outlet.sentBytes, 0);
  }

  /** Ends the generation: whatever waits is abandoned, nothing is sent or accepted any more. */
  close(reason: string): void {
    this.isClosed = true;
    this.inbox.close(reason);
    for (const outlet of this.outlets) outlet.close(reason);
    for (const pull of this.pulls) pull.close();
  }

  private pull(rank: number, open: OpenPull, address: string): void {
    let sequence = 0;
    const stream = open(address, {
      message: (bytes) => {
        if (this.isClosed) return;
        this.receivedBytes += bytes.byteLength;
        this.inbox.deliver(rank, this.read(rank, bytes, sequence++).frame);
      },
      failed: (error) => {
        if (!this.isClosed)
          this.violated(error instanceof MalformedFrame ? this.unreadable(rank, error.message) : error);
      },
      ended: (reason) => {
        if (!this.isClosed) this.events.peerGone(rank, reason);
      },
    });
    this.pulls.push(stream);
  }

  /** @throws LockstepError `FRAME_UNREADABLE` */
  private read(rank: number, bytes: Buffer, expected: number): ReadFrame {
    try {
      const read = readFrame(bytes, this.options.checksum);
      if (!this.runKey.equals(read.runKey)) throw this.unreadable(rank, 'it belongs to another run');
      if (read.sequence !== expected)
        throw this.unreadable(rank, `it is number ${read.sequence} on its stream where ${expected} is next`);
      return read;
    } catch (error) {
      throw error instanceof MalformedFrame ? this.unreadable(rank, error.message) : error;
    }
  }

  private onStalled(rank: number): void {
    if (this.isClosed) return;
    this.violated(fault('PEER_STALLED', { ...this.whereabouts(rank), seconds: stallMs / 1000 }));
  }

  private unreadable(rank: number, reason: string): Error {
    return fault('FRAME_UNREADABLE', { ...this.whereabouts(rank), reason });
  }

  private whereabouts(rank: number): { readonly rank: number; readonly address: string; readonly at: string } {
    const { address } = this.options.begin.members[rank]!;
    return { rank, address, at: this.round ? describeRound(this.round) : 'the start of the generation' };
  }

  /** Nothing of this generation is accepted after it: a step is never computed from bad data. */
  private violated(error: Error): void {
    this.inbox.close(error.message);
    this.events.violated(error);
  }
}
