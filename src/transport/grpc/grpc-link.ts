import { describeRound, type Frame, type Round } from '../../collective/frame.js';
import { Inbox } from '../../collective/inbox.js';
import type { Link } from '../../collective/link.js';
import type { Begin } from '../../cluster/messages.js';
import { endOfTurn, type Clock } from '../../core/clock.js';
import { fault } from '../faults.js';
import { checkPayload, MalformedFrame, readFrame, type ReadFrame, type SentPlace } from './frame-codec.js';
import { Outlet } from './outlet.js';
import { PeerSlots } from './peer-slots.js';
import type { PullEvents, PullStream } from './pull-stream.js';
import { runKeyOf } from './run-key.js';
import { formatOffer, parseOffer, SlotFile, slotFileKey } from './slot-file.js';

/** Silence of a peer that reads, seen from one that writes, after which it is told by name. */
const stallMs = 30_000;

/** Opens the stream on which a peer's frames come. */
export type OpenPull = (address: string, events: PullEvents) => Pick<PullStream, 'close'>;

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
  /** Address of the hub, whose rank is the number of members, where the topology is a star; members then talk to it alone. */
  readonly hub?: string | undefined;
  /** Whether frames carry a checksum. All members agree on it. */
  readonly checksum: boolean;
  readonly clock: Clock;
  /** Where memory is that workers of this host share; absent: all bytes travel in streams. */
  readonly memoryFolder?: string | undefined;
}

/** The streams between this rank and the others of one generation: each pulls from each. */
export class GrpcLink implements Link {
  readonly rank: number;
  readonly worldSize: number;
  readonly inbox: Inbox;
  /** By rank; our own stays unused. */
  readonly outlets: readonly Outlet[];
  private readonly pulls: Pick<PullStream, 'close'>[] = [];
  /** By rank. */
  private readonly addresses: readonly string[];
  private readonly runKey: Buffer;
  /** The last round of which we sent something. */
  private round: Round | undefined;
  /** What we put payloads into for peers on this host; null where that is not possible. */
  private slots: SlotFile | null | undefined;
  /** By rank: where peers put theirs. */
  private readonly peerSlots = new Map<number, PeerSlots>();
  /** Peers that have opened ours. */
  private readonly readers = new Set<number>();
  isClosed = false;
  receivedBytes = 0;

  constructor(
    private readonly options: LinkOptions,
    private readonly events: LinkEvents,
  ) {
    const { rank, runId, begin, hub, checksum, clock } = options;
    this.rank = rank;
    this.worldSize = begin.members.length;
    this.inbox = new Inbox(begin.generation.number);
    const runKey = (this.runKey = runKeyOf(runId));
    this.addresses = [...begin.members.map(({ address }) => address), ...(hub === undefined ? [] : [hub])];
    this.outlets = this.addresses.map((_, peer) => {
      const onStalled = (): void => this.onStalled(peer);
      const onGone = (): void => this.free(() => this.slots?.gone(peer));
      return new Outlet({ runKey, checksum, clock, stallMs, onStalled, onGone });
    });
  }

  open(openPull: OpenPull): void {
    const isStar = this.options.hub !== undefined;
    for (const [rank, address] of this.addresses.entries()) {
      const isPeer = rank !== this.rank && (!isStar || [rank, this.rank].includes(this.worldSize));
      if (isPeer) this.pull(rank, openPull, address);
    }
  }

  send(to: number, frame: Frame): Promise<void> {
    this.round = frame.round;
    return this.outlets[to]!.send(frame);
  }

  /** HTTP/2 writes what a turn of the event loop has sent at the turn's end. */
  departed(): Promise<void> {
    return endOfTurn();
  }

  addressOf(rank: number): string {
    return this.addresses[rank]!;
  }

  get sentBytes(): number {
    return this.outlets.reduce((sum, outlet) => sum + outlet.sentBytes, 0);
  }

  /** What a peer that reached us within this host may read our payloads from; undefined: nothing. */
  offerMemory(): string | undefined {
    const { memoryFolder } = this.options;
    if (memoryFolder !== undefined && !this.isClosed)
      this.slots ??= SlotFile.create(this.slotFileKey(this.rank), memoryFolder) ?? null;
    return this.slots ? formatOffer(this.slots.offer) : undefined;
  }

  /** Peers whose payloads come through memory, and those who get ours so. */
  get sharesMemoryWith(): { readonly reading: readonly number[]; readonly writing: readonly number[] } {
    return { reading: [...this.peerSlots.keys()], writing: [...this.readers] };
  }

  /** Ends the generation: whatever waits is abandoned, nothing is sent or accepted any more. */
  close(reason: string): void {
    this.isClosed = true;
    this.inbox.close(reason);
    for (const outlet of this.outlets) outlet.close(reason);
    for (const pull of this.pulls) pull.close();
    for (const slots of this.peerSlots.values()) slots.close();
    this.peerSlots.clear();
    this.slots?.close();
    this.slots = null;
  }

  private pull(rank: number, open: OpenPull, address: string): void {
    let sequence = 0;
    const stream = open(address, {
      message: (bytes) => {
        if (!this.isClosed) this.receive(rank, bytes, sequence++);
      },
      memory: (offer) => this.openMemory(rank, offer),
      failed: (error) => {
        if (!this.isClosed) this.violated(this.named(rank, error) as Error);
      },
      ended: (reason) => {
        if (!this.isClosed) this.events.peerGone(rank, reason);
      },
    });
    this.pulls.push(stream);
  }

  /** @throws LockstepError `FRAME_UNREADABLE`; what the inbox throws */
  private receive(rank: number, bytes: Buffer, sequence: number): void {
    this.receivedBytes += bytes.byteLength;
    const read = this.read(rank, bytes, sequence);
    if (read.reading !== undefined) this.onReading(rank, read.reading);
    else if (read.place) this.receivePlaced(rank, read, read.place);
    else this.inbox.deliver(rank, read.frame);
  }

  /** A frame whose payload lies in the peer's memory, from where it goes to its place when that is known. */
  private receivePlaced(rank: number, read: ReadFrame, place: SentPlace): void {
    const slots = this.peerSlots.get(rank);
    if (!slots) throw this.unreadable(rank, 'its payload lies in memory that is not open here');
    if (this.readers.has(rank)) this.onReading(rank, place.payloadsRead);
    this.receivedBytes += place.bytes;
    const refusal = (error: unknown): unknown => this.named(rank, error);
    const check = (bytes: Uint8Array): void => checkPayload(read, bytes);
    try {
      slots.deliver(place, { check, refusal }, (payload) => this.inbox.deliver(rank, { ...read.frame, payload }));
    } catch (error) {
      throw refusal(error);
    }
  }

  /** A peer reads what we put into memory: the first time it says so it has only opened it. */
  private onReading(rank: number, payloads: number): void {
    const { slots } = this;
    if (!slots) throw this.unreadable(rank, 'it reads in memory that it was not offered');
    this.free(() => {
      if (!slots.read(rank, payloads))
        throw this.unreadable(rank, `it has read ${payloads} payloads, which it was not sent`);
    });
    if (this.readers.has(rank)) return;
    this.readers.add(rank);
    this.outlets[rank]!.use({ place: (frame) => slots.place(frame, rank) });
  }

  /** Whoever waits for a slot looks again. */
  private free(release: () => void): void {
    release();
    for (const outlet of this.outlets) outlet.resume();
  }

  private openMemory(rank: number, text: string): void {
    const offer = parseOffer(text);
    if (this.isClosed || this.options.memoryFolder === undefined || !offer) return;
    const slots = PeerSlots.open(offer, this.slotFileKey(rank), this.worldSize);
    if (!slots) return;
    this.peerSlots.set(rank, slots);
    slots.onRead = (payloads) => this.outlets[rank]!.hasRead(payloads, slots.keepMax);
    slots.onRead(0);
  }

  private slotFileKey(rank: number): Buffer {
    return slotFileKey(this.options.runId, this.options.begin.generation, rank);
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
      throw this.named(rank, error);
    }
  }

  /** @param writer - to whom we could not write; where all slots are taken, the one who does not read is another one */
  private onStalled(writer: number): void {
    if (this.isClosed) return;
    const rank = this.outlets[writer]!.isWaitingForPlace ? (this.slots?.slowestReader() ?? writer) : writer;
    this.violated(fault('PEER_STALLED', { ...this.whereabouts(rank), seconds: stallMs / 1000 }));
  }

  /** An error that says whose frame it was. */
  private named(rank: number, error: unknown): unknown {
    return error instanceof MalformedFrame ? this.unreadable(rank, error.message) : error;
  }

  private unreadable(rank: number, reason: string): Error {
    return fault('FRAME_UNREADABLE', { ...this.whereabouts(rank), reason });
  }

  private whereabouts(rank: number): { readonly rank: number; readonly address: string; readonly at: string } {
    return {
      rank,
      address: this.addressOf(rank),
      at: this.round ? describeRound(this.round) : 'the start of the generation',
    };
  }

  /** Nothing of this generation is accepted after it: a step is never computed from bad data. */
  private violated(error: Error): void {
    this.inbox.close(error.message);
    this.events.violated(error);
  }
}
