import type { ServerWritableStream } from '@grpc/grpc-js';
import { Abandoned } from '../../collective/faults.js';
import type { PullRequest__Output } from './generated/lockstep/v1/PullRequest.js';

export type PullCall = ServerWritableStream<PullRequest__Output, Buffer>;

/** What this rank sends to one peer in one generation: held until the peer opens its stream, then passed on. */
export class Outlet {
  private call: PullCall | undefined;
  private isBroken = false;
  private closed: Abandoned | undefined;
  /** At most a round's worth: a peer that has not opened its stream has sent nothing, so no round can finish. */
  private queue: Buffer[] = [];
  private readonly wake: (() => void)[] = [];
  sentBytes = 0;

  attach(call: PullCall): void {
    this.call = call;
    call.on('drain', () => this.wakeAll());
    const onGone = (): void => {
      this.isBroken = true; //                                      the coordinator judges what that means; nobody waits for it here
      this.wakeAll();
    };
    call.on('cancelled', onGone).on('error', onGone).on('close', onGone);
    for (const bytes of this.queue) call.write(bytes);
    this.queue = [];
  }

  /** Resolves when there is room for more. @throws Abandoned */
  async send(bytes: Buffer): Promise<void> {
    if (this.closed) throw this.closed;
    this.sentBytes += bytes.byteLength;
    if (this.isBroken) return;
    if (!this.call) this.queue.push(bytes);
    else if (!this.call.write(bytes)) await this.drained();
  }

  close(reason: string): void {
    this.closed = new Abandoned(reason);
    if (!this.isBroken) this.call?.end();
    this.wakeAll();
  }

  private async drained(): Promise<void> {
    await new Promise<void>((resolve) => this.wake.push(resolve));
    if (this.closed) throw this.closed;
  }

  private wakeAll(): void {
    for (const wake of this.wake.splice(0)) wake();
  }
}
