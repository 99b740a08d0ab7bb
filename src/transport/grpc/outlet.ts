import type { ServerHttp2Stream } from 'node:http2';
import { Abandoned } from '../../collective/faults.js';
import type { Frame } from '../../collective/frame.js';
import type { Clock } from '../../core/clock.js';
import { frameBytes, writeFrame } from './frame-codec.js';
import { prefixBytes, writePrefix } from './grpc-http2.js';

export interface OutletOptions {
  readonly runKey: Uint8Array;
  readonly checksum: boolean;
  readonly clock: Clock;
  /** How long the peer may leave a frame unread. */
  readonly stallMs: number;
  readonly onStalled: () => void;
}

interface Waiting {
  readonly frame: Frame;
  readonly sent: () => void;
  readonly failed: (error: Error) => void;
}

/** Frames that the stream has taken and not sent: one leaves while the next one is copied. */
const inFlightMax = 2;
/** Frames from here on are written into buffers that are used again. */
const largeBytes = 4096;

/**
 * What this rank sends to one peer in one generation. Frames wait here as views of the vectors that they carry, and are
 * copied when the stream has room: a slow peer costs no memory.
 */
export class Outlet {
  private stream: ServerHttp2Stream | undefined;
  private isBroken = false;
  private inFlight = 0;
  private closed: Abandoned | undefined;
  private readonly queue: Waiting[] = [];
  private readonly spare: Buffer[] = [];
  private endWatch: (() => void) | undefined;
  private sequence = 0;
  sentBytes = 0;

  constructor(private readonly options: OutletOptions) {}

  /** @param stream - of the peer's call, answered already */
  attach(stream: ServerHttp2Stream): void {
    this.stream = stream;
    const onGone = (): void => {
      this.isBroken = true; //                                      the coordinator judges what that means; nobody waits for it here
      this.endWatch?.();
      for (const { sent } of this.queue.splice(0)) sent();
    };
    stream.on('close', onGone).on('error', onGone);
    this.pump();
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

  close(reason: string): void {
    this.closed = new Abandoned(reason);
    for (const { failed } of this.queue.splice(0)) failed(this.closed);
    this.endWatch?.();
    if (!this.isBroken) this.stream?.end();
  }

  private pump(): void {
    while (this.stream && !this.isBroken && !this.closed && this.inFlight < inFlightMax && this.queue.length > 0) {
      const { frame, sent } = this.queue.shift()!;
      this.write(this.stream, frame);
      sent();
    }
  }

  private write(stream: ServerHttp2Stream, frame: Frame): void {
    const { clock, stallMs, onStalled, runKey, checksum } = this.options;
    const length = frameBytes(frame);
    const buffer = this.take(prefixBytes + length);
    writePrefix(buffer, length);
    writeFrame(frame, { runKey, checksum, sequence: this.sequence++ }, buffer, prefixBytes);
    this.sentBytes += prefixBytes + length;
    this.inFlight += 1;
    this.endWatch ??= clock.setTimer(stallMs, onStalled);
    stream.write(buffer.subarray(0, prefixBytes + length), () => {
      this.inFlight -= 1;
      this.endWatch?.();
      this.endWatch =
        this.inFlight > 0 && !this.isBroken && !this.closed ? clock.setTimer(stallMs, onStalled) : undefined;
      if (buffer.byteLength >= largeBytes && this.spare.length < inFlightMax) this.spare.push(buffer);
      this.pump();
    });
  }

  private take(bytes: number): Buffer {
    if (bytes < largeBytes) return Buffer.allocUnsafe(bytes);
    const spare = this.spare.pop();
    return spare && spare.byteLength >= bytes ? spare : Buffer.allocUnsafeSlow(bytes);
  }
}
