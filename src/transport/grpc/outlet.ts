import type { ServerHttp2Stream } from 'node:http2';
import { Abandoned } from '../../collective/faults.js';
import type { Frame } from '../../collective/frame.js';
import type { Clock } from '../../core/clock.js';
import {
  frameBytes,
  placedFrameBytes,
  readingFrameBytes,
  writeFrame,
  writePlacedFrame,
  writeReading,
  type Envelope,
  type Place,
} from './frame-codec.js';
import { prefixBytes, writePrefix } from './grpc-http2.js';

/** Memory that the peer can read: where payloads go that need not travel. */
export interface SharedMemory {
  place(frame: Frame): Place | 'full' | 'unfit';
}

export interface OutletOptions {
  readonly runKey: Uint8Array;
  readonly checksum: boolean;
  readonly clock: Clock;
  /** How long the peer may leave a frame unread. */
  readonly stallMs: number;
  readonly onStalled: () => void;
  /** The peer's stream broke. */
  readonly onGone?: () => void;
}

interface Waiting {
  readonly frame: Frame;
  readonly sent: () => void;
  readonly failed: (error: Error) => void;
}

/** Frames with a payload that the stream has taken and not sent: one leaves while the next one is copied. */
const inFlightMax = 2;
/** Frames from here on are written into buffers that are used again. */
const largeBytes = 4096;

/**
 * What this rank sends to one peer in one generation. Frames wait here as views of the vectors that they carry, and are
 * copied when the stream or the memory has room: a slow peer costs no memory.
 */
export class Outlet {
  private stream: ServerHttp2Stream | undefined;
  private memory: SharedMemory | undefined;
  private isBroken = false;
  private inFlight = 0;
  /** The next frame waits for a place in memory. */
  isWaitingForPlace = false;
  private closed: Abandoned | undefined;
  private readonly queue: Waiting[] = [];
  private readonly spare: Buffer[] = [];
  private endWatch: (() => void) | undefined;
  private sequence = 0;
  /** Payloads read in the peer's memory, now and when the peer was told. */
  private payloadsRead = 0;
  private payloadsTold: number | undefined;
  private reads = false;
  private isCorked = false;
  /** Of frames, wherever their payloads went. */
  sentBytes = 0;

  constructor(private readonly options: OutletOptions) {}

  /** @param stream - of the peer's call, answered already */
  attach(stream: ServerHttp2Stream): void {
    this.stream = stream;
    const onGone = (): void => {
      if (this.isBroken) return;
      this.isBroken = true; //                                      the coordinator judges what that means; nobody waits for it here
      this.endWatch?.();
      for (const { sent } of this.queue.splice(0)) sent();
      this.options.onGone?.();
    };
    stream.on('close', onGone).on('error', onGone);
    if (this.reads && this.payloadsTold === undefined) this.tellReading();
    this.pump();
  }

  /** From now on large payloads go there. */
  use(memory: SharedMemory): void {
    this.memory = memory;
  }

  /** Resolves when the frame was copied, or is of no use any more. @throws Abandoned */
  async send(frame: Frame): Promise<void> {
    if (this.closed) throw this.closed;
    if (this.isBroken) return;
    await new Promise<void>((sent, failed) => {
      this.queue.push({ frame, sent, failed });
      this.pump();
    });
  }

  /**
   * So many payloads were read in the peer's memory; at first none, when it was opened. The peer is told with the next frame
   * or, when it would not know of `silentMax` of them, at once: its frames may wait for places while ours wait for theirs.
   */
  hasRead(payloads: number, silentMax: number): void {
    this.payloadsRead = payloads;
    this.reads = true;
    if (payloads - (this.payloadsTold ?? -silentMax) >= silentMax) this.tellReading();
  }

  private tellReading(): void {
    if (!this.stream || this.isBroken || this.closed) return;
    this.payloadsTold = this.payloadsRead;
    const buffer = this.message(readingFrameBytes);
    writeReading(this.payloadsRead, this.envelope(), buffer, prefixBytes);
    this.put(this.stream, buffer);
  }

  /** Goes on if it was waiting for a place in memory. */
  resume(): void {
    if (!this.isWaitingForPlace) return;
    this.isWaitingForPlace = false;
    this.watch();
    this.pump();
  }

  close(reason: string): void {
    this.closed = new Abandoned(reason);
    for (const { failed } of this.queue.splice(0)) failed(this.closed);
    this.endWatch?.();
    if (!this.isBroken) this.stream?.end();
  }

  private pump(): void {
    while (this.stream && !this.isBroken && !this.closed && !this.isWaitingForPlace && this.queue.length > 0) {
      const { frame, sent } = this.queue[0]!;
      const place = this.memory?.place(frame) ?? 'unfit';
      if (place === 'full') {
        this.isWaitingForPlace = true;
        if (!this.endWatch) this.watch();
        return;
      }
      if (place === 'unfit') {
        if (this.inFlight >= inFlightMax) return;
        this.write(this.stream, frame);
      } else {
        this.writePlaced(this.stream, frame, place);
      }
      this.queue.shift();
      sent();
    }
  }

  private write(stream: ServerHttp2Stream, frame: Frame): void {
    const length = frameBytes(frame);
    const buffer = this.take(prefixBytes + length);
    writePrefix(buffer, length);
    writeFrame(frame, this.envelope(), buffer, prefixBytes);
    this.sentBytes += prefixBytes + length;
    this.inFlight += 1;
    if (!this.endWatch) this.watch();
    this.put(stream, buffer.subarray(0, prefixBytes + length), () => {
      this.inFlight -= 1;
      this.watch();
      if (buffer.byteLength >= largeBytes && this.spare.length < inFlightMax) this.spare.push(buffer);
      this.pump();
    });
  }

  private writePlaced(stream: ServerHttp2Stream, frame: Frame, place: Place): void {
    const buffer = this.message(placedFrameBytes);
    writePlacedFrame(frame, { ...place, payloadsRead: this.payloadsRead }, this.envelope(), buffer, prefixBytes);
    if (this.reads) this.payloadsTold = this.payloadsRead;
    this.sentBytes += buffer.byteLength + frame.payload.byteLength;
    this.put(stream, buffer);
  }

  /** What is written in one turn leaves together: a second write would wait until the system has taken the first. */
  private put(stream: ServerHttp2Stream, bytes: Buffer, done?: () => void): void {
    if (!this.isCorked) {
      this.isCorked = true;
      stream.cork();
      process.nextTick(() => {
        this.isCorked = false;
        stream.uncork();
      });
    }
    stream.write(bytes, done);
  }

  private envelope(): Envelope {
    const { runKey, checksum } = this.options;
    return { runKey, checksum, sequence: this.sequence++ };
  }

  private message(bytes: number): Buffer {
    const buffer = Buffer.allocUnsafe(prefixBytes + bytes);
    writePrefix(buffer, bytes);
    return buffer;
  }

  private take(bytes: number): Buffer {
    if (bytes < largeBytes) return Buffer.allocUnsafe(bytes);
    const spare = this.spare.pop();
    return spare && spare.byteLength >= bytes ? spare : Buffer.allocUnsafeSlow(bytes);
  }

  /** From now on the peer has `stallMs` to take what waits for it. */
  private watch(): void {
    const { clock, stallMs, onStalled } = this.options;
    this.endWatch?.();
    const isWaiting = (this.inFlight > 0 || this.isWaitingForPlace) && !this.isBroken && !this.closed;
    this.endWatch = isWaiting ? clock.setTimer(stallMs, onStalled) : undefined;
  }
}
