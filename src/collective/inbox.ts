import { Abandoned, fault } from './faults.js';
import { roundOrder, type Frame, type FrameKind, type Round } from './frame.js';

/** How much of rounds that have not begun here is held, for each peer. Members are at most one step apart. */
const earlyBytesMax = 1 << 30;

interface Expectation {
  readonly target: Uint8Array;
  missingBytes: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Where the frames of one generation arrive. The all-reduce says what it expects and where it belongs; what comes
 * before it is expected is held, bounded; what comes for a round that is over is refused by name.
 */
export class Inbox {
  private readonly expected = new Map<string, Expectation>();
  private readonly early = new Map<
    string,
    { readonly from: number; readonly order: number; readonly frames: Frame[] }
  >();
  private readonly earlyBytes: number[];
  private current = -1;
  private closed: Error | undefined;

  constructor(
    private readonly generation: number,
    worldSize: number,
  ) {
    this.earlyBytes = new Array<number>(worldSize).fill(0);
  }

  /** From now on frames of earlier rounds are stale. */
  openRound(round: Round): void {
    this.current = roundOrder(round);
    for (const [key, { order }] of this.early) if (order < this.current) this.release(key);
  }

  /**
   * Waits until `target` is full of what rank `from` sends as `kind` for `slice`. A header is full when it is there.
   *
   * @throws Abandoned when the generation is sealed meanwhile
   */
  expect(from: number, round: Round, kind: FrameKind, slice: number, target: Uint8Array): Promise<void> {
    if (this.closed) return Promise.reject(this.closed);
    const missingBytes = kind === 'header' ? 1 : target.byteLength;
    if (missingBytes === 0) return Promise.resolve();
    const key = keyOf(from, round, kind, slice);
    const arrival = new Promise<void>((resolve, reject) =>
      this.expected.set(key, { target, missingBytes, resolve, reject }),
    );
    arrival.catch(() => undefined); //                              a round that was given up awaits only its first failure
    for (const frame of this.release(key)) this.accept(from, key, frame);
    return arrival;
  }

  /** Called by the transport. @throws LockstepError `STALE_ROUND`, `EXCHANGE_OVERFLOW` */
  deliver(from: number, frame: Frame): void {
    if (this.closed) return; //                                    sealed: nothing of this generation is accepted any more
    if (frame.round.generation !== this.generation || roundOrder(frame.round) < this.current) {
      throw fault('STALE_ROUND', {
        rank: from,
        seen: frame.round,
        current: `generation ${this.generation}, round ${this.current}`,
      });
    }
    const key = keyOf(from, frame.round, frame.kind, frame.slice);
    if (this.expected.has(key)) this.accept(from, key, frame);
    else this.hold(from, key, frame);
  }

  /** Ends the generation: whoever waits gets `Abandoned`, whatever still comes is dropped. */
  close(reason: string): void {
    this.closed = new Abandoned(reason);
    for (const { reject } of this.expected.values()) reject(this.closed);
    this.expected.clear();
    this.early.clear();
  }

  private accept(from: number, key: string, frame: Frame): void {
    const expectation = this.expected.get(key);
    if (!expectation) return overflow(from, frame, 0);
    const { target } = expectation;
    if (frame.offset * 4 + frame.payload.byteLength > target.byteLength)
      return overflow(from, frame, target.byteLength);
    target.set(frame.payload, frame.offset * 4);
    expectation.missingBytes -= frame.kind === 'header' ? 1 : frame.payload.byteLength;
    if (expectation.missingBytes > 0) return;
    this.expected.delete(key);
    expectation.resolve();
  }

  private hold(from: number, key: string, frame: Frame): void {
    const bytes = (this.earlyBytes[from] ?? 0) + frame.payload.byteLength;
    if (bytes > earlyBytesMax)
      throw fault('EXCHANGE_OVERFLOW', { rank: from, round: frame.round, bytes, limitBytes: earlyBytesMax });
    this.earlyBytes[from] = bytes;
    const held = this.early.get(key);
    if (held) held.frames.push(frame);
    else this.early.set(key, { from, order: roundOrder(frame.round), frames: [frame] });
  }

  /** Takes what was held under `key` out of the store. */
  private release(key: string): readonly Frame[] {
    const held = this.early.get(key);
    if (!held) return [];
    this.early.delete(key);
    const bytes = held.frames.reduce((sum, frame) => sum + frame.payload.byteLength, 0);
    this.earlyBytes[held.from] = (this.earlyBytes[held.from] ?? 0) - bytes;
    return held.frames;
  }
}

function keyOf(from: number, round: Round, kind: FrameKind, slice: number): string {
  return `${from}/${roundOrder(round)}/${kind}/${slice}`;
}

function overflow(rank: number, frame: Frame, limitBytes: number): never {
  const bytes = frame.offset * 4 + frame.payload.byteLength;
  throw fault('EXCHANGE_OVERFLOW', { rank, round: frame.round, bytes, limitBytes });
}
