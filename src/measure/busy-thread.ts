import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Passes of one look at the thread's speed, and looks. */
const passesOfALook = 2_000;
const looks = 60;

/**
 * A thread of this process that has to do for a given time, as an engine's has: time in which it has a core. If others have its
 * core meanwhile, it takes longer.
 */
export class BusyThread {
  private constructor(
    private readonly thread: Worker,
    private readonly passesPerMs: number,
  ) {}

  static async start(): Promise<BusyThread> {
    const thread = new Worker(new URL('./busy-thread-main.js', import.meta.url));
    const times: number[] = [];
    for (let i = 0; i < looks; i++) times.push(await timeOf(thread, passesOfALook));
    return new BusyThread(thread, passesOfALook / Math.min(...times)); // whoever was interrupted was slower, never faster
  }

  /** @returns when it has computed for so long */
  async compute(milliseconds: number): Promise<void> {
    await timeOf(this.thread, Math.round(milliseconds * this.passesPerMs));
  }

  async stop(): Promise<void> {
    await this.thread.terminate();
  }
}

async function timeOf(thread: Worker, passes: number): Promise<number> {
  const answered = once(thread, 'message');
  thread.postMessage(passes);
  return ((await answered) as [number])[0];
}
