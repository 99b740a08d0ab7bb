import { Abandoned, fault } from './faults.js';
import {
  describeRound,
  headerOf,
  keptFrame,
  roundOrder,
  type ArrivedFrame,
  type Round,
  type RoundHeader,
} from './frame.js';

/** What a peer may send of rounds that have not begun here, at the least. */
const earlyBytesLeast = 64 * 1024 * 1024;

/** Takes the frames of one round. */
export interface Receiver {
  /** @throws LockstepError for a frame that has no place in the round */
  receive(from: number, frame: ArrivedFrame): void;
  /** The round is lost. */
  fail(error: Error): void;
}

/**
 * Where the frames of one generation arrive. Those of the round at hand go to its receiver; what comes for a later round is
 * held, bounded; what comes for a round that is over is refused by name.
 */
export class Inbox {
  private current: { readonly round: Round; readonly receiver: Receiver } | undefined;
  /** Frames of later rounds, by their order. Members are at most one step apart. */
  private readonly early = new Map<number, { readonly from: number; readonly frame: ArrivedFrame }[]>();
  private readonly earlyBytes = new Map<number, number>();
  /** By rank: the round, by its order, whose nodes may still come although it is over: others were taken in their place. */
  private readonly superseded = new Map<number, number>();
  private earlyBytesMax = earlyBytesLeast;
  private closed: Abandoned | undefined;
  private watcher: (() => void) | undefined;

  constructor(private readonly generation: number) {}

  /** Makes room for at least so many bytes of rounds that have not begun here, for each peer. */
  allowEarly(bytes: number): void {
    this.earlyBytesMax = Math.max(this.earlyBytesMax, bytes);
  }

  /** Of this round a copy of `from`'s nodes was taken: its own are dropped, if they come when the round is over. */
  supersede(from: number, round: Round): void {
    this.superseded.set(from, roundOrder(round));
  }

  /** From now on frames of earlier rounds are stale. What came early for this one is received now. */
  open(round: Round, receiver: Receiver): void {
    if (this.closed) return receiver.fail(this.closed);
    this.current = { round, receiver };
    const order = roundOrder(round);
    for (const [held, frames] of [...this.early].sort(([a], [b]) => a - b)) {
      if (held > order) continue;
      this.early.delete(held);
      for (const { from, frame } of frames) {
        this.earlyBytes.set(from, this.earlyBytes.get(from)! - frame.payload.byteLength);
        this.deliver(from, frame);
      }
    }
  }

  /** Called by the transport; the frame's payload may change after it. @throws LockstepError `STALE_ROUND`, `EXCHANGE_OVERFLOW`, and what the receiver throws */
  deliver(from: number, frame: ArrivedFrame): void {
    if (this.closed) return; //                                    sealed: nothing of this generation is accepted any more
    const order = roundOrder(frame.round);
    const current = this.current ? roundOrder(this.current.round) : -1;
    if (frame.round.generation !== this.generation || order < current) {
      if (frame.round.generation === this.generation && this.isSuperfluous(from, frame)) return;
      const now = this.current ? describeRound(this.current.round) : `the start of generation ${this.generation}`;
      throw fault('STALE_ROUND', { rank: from, seen: frame.round, current: now });
    }
    if (order === current) this.current!.receiver.receive(from, frame);
    else this.hold(from, order, frame);
  }

  /** Ends the generation: whoever waits gets `Abandoned`, whatever still comes is dropped. */
  close(reason: string): void {
    this.closed = new Abandoned(reason);
    this.current?.receiver.fail(this.closed);
    this.early.clear();
    this.watcher?.();
  }

  /**
   * The header of the next round that a peer has opened and we have not: how a hub learns what its members do.
   *
   * @throws Abandoned
   */
  async nextHeader(): Promise<RoundHeader & { readonly round: Round }> {
    for (;;) {
      if (this.closed) throw this.closed;
      const next = Math.min(...this.early.keys());
      const opened = this.early.get(next)?.find(({ frame }) => frame.kind === 'header')?.frame;
      const header = opened && headerOf(opened);
      if (header) return { ...header, round: opened.round };
      await new Promise<void>((resolve) => (this.watcher = resolve));
    }
  }

  /** Whether a frame of a round that is over came second: a node that was computed twice is taken once. */
  private isSuperfluous(from: number, { kind, round }: ArrivedFrame): boolean {
    return kind === 'copy' || (kind === 'nodes' && this.superseded.get(from) === roundOrder(round));
  }

  private hold(from: number, order: number, view: ArrivedFrame): void {
    const bytes = (this.earlyBytes.get(from) ?? 0) + view.payload.byteLength;
    const limitBytes = this.earlyBytesMax;
    if (bytes > limitBytes) throw fault('EXCHANGE_OVERFLOW', { rank: from, round: view.round, bytes, limitBytes });
    this.earlyBytes.set(from, bytes);
    const frame = keptFrame(view);
    const held = this.early.get(order);
    if (held) held.push({ from, frame });
    else this.early.set(order, [{ from, frame }]);
    this.watcher?.();
  }
}
