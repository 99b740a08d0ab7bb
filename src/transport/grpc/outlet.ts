import type { ServerWritableStream } from '@grpc/grpc-js';
import { Abandoned } from '../../collective/faults.js';
import type { Frame } from '../../collective/frame.js';
import type { Clock } from '../../core/clock.js';
import { frameBytes, writeFrame } from './frame-codec.js';
import type { PullRequest__Output } from './generated/lockstep/v1/PullRequest.js';

export type PullCall = ServerWritableStream<PullRequest__Output, OutgoingFrame>;

/**
 * A frame on its way out. grpc-js takes what a serializer returns for a Buffer, of which it reads the length and which it
 * copies behind its own five bytes; this writes itself there instead, so that the payload is copied once and not twice.
 */
export class OutgoingFrame {
  readonly byteLength: number;

  constructor(
    private readonly write: (bytes: Buffer, at: number) => void,
    frame: Frame,
  ) {
    this.byteLength = frameBytes(frame);
  }

  copy(target: Buffer, at: number): void {
    this.write(target, at);
  }
}

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

/**
 * What this rank sends to one peer in one generation. Frames wait here as views of the vectors that they carry, and are
 * copied one at a time, when the stream has taken the one before: a slow peer costs no memory.
 */
export class Outlet {
  private call: PullCall | undefined;
  private isBroken = false;
  private isBusy = false;
  private closed: Abandoned | undefined;
  private readonly queue: Waiting[] = [];
  private endWatch: (() => void) | undefined;
  private sequence = 0;
  sentBytes = 0;

  constructor(private readonly options: OutletOptions) {}

  attach(call: PullCall): void {
    this.call = call;
    const onGone = (): void => {
      this.isBroken = true; //                                      the coordinator judges what that means; nobody waits for it here
      this.endWatch?.();
      for (const { sent } of this.queue.splice(0)) sent();
    };
    call.on('cancelled', onGone).on('error', onGone).on('close', onGone);
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
    if (!this.isBroken) this.call?.end();
  }

  private pump(): void {
    if (this.isBusy || !this.call || this.isBroken) return;
    const next = this.queue.shift();
    if (!next) return;
    this.isBusy = true;
    const { clock, stallMs, onStalled, runKey, checksum } = this.options;
    const envelope = { runKey, checksum, sequence: this.sequence++ };
    const { frame, sent } = next;
    this.endWatch = clock.setTimer(stallMs, onStalled);
    const outgoing = new OutgoingFrame((bytes, at) => {
      writeFrame(frame, envelope, bytes, at);
      sent();
    }, frame);
    this.sentBytes += outgoing.byteLength;
    this.call.write(outgoing, () => {
      this.endWatch?.();
      this.isBusy = false;
      this.pump();
    });
  }
}
