import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { fault } from './faults.js';
import type { PlacedStep } from './lanes.js';
import type { PublicEvent } from './public-events.js';

const phases = ['compute', 'wait', 'exchange', 'update'] as const;
/** What may wait for a slow disk; beyond it steps are left out, and the end of the file says how many. */
const waitingBytesMax = 64 << 20;

/** One of Chrome's trace events. Times are microseconds on the coordinator's clock. */
interface TraceEvent {
  readonly name: string;
  /** X: a stretch of time, i: a moment, M: a name. */
  readonly ph: 'X' | 'i' | 'M';
  readonly pid: number;
  readonly tid: 0;
  readonly ts?: number;
  readonly dur?: number;
  /** A moment across all lanes. */
  readonly s?: 'g';
  readonly args?: Readonly<Record<string, unknown>>;
}

/**
 * Steps and events of a run in Chrome's trace format, as Perfetto and chrome://tracing read it: a process a worker, lane
 * under lane on one clock. About 350 bytes a step and worker. A file that was cut short can be read, too.
 */
export class TraceFile {
  /** 0 is the run itself. */
  private readonly pids = new Map<string, number>([['run', 0]]);
  private leftOut = 0;
  private isFirst = true;
  /** Why the file is not whole, in words: training goes on without it. */
  failure: string | undefined;

  private constructor(private readonly file: WriteStream) {
    file.on('error', (error) => (this.failure ??= error.message));
  }

  /** @throws LockstepError `TRACE_NOT_WRITABLE` */
  static async create(path: string): Promise<TraceFile> {
    const file = createWriteStream(path);
    await once(file, 'open').catch((error: unknown) => {
      throw fault('TRACE_NOT_WRITABLE', { path, reason: (error as Error).message }, error);
    });
    const trace = new TraceFile(file);
    trace.write({ name: 'process_name', ph: 'M', pid: 0, tid: 0, args: { name: 'run' } });
    return trace;
  }

  steps(steps: readonly PlacedStep[]): void {
    for (const { worker, step, beginMs, ms, slowest } of steps) {
      if (this.file.writableLength > waitingBytesMax) {
        this.leftOut += 1;
        continue;
      }
      const pid = this.pidOf(worker);
      let ts = beginMs * 1e3;
      for (const [i, name] of phases.entries()) {
        const dur = ms[i]! * 1e3;
        const args = name === 'wait' && slowest !== undefined ? { step, for: slowest } : { step };
        if (dur > 0) this.write({ name, ph: 'X', pid, tid: 0, ts: whole(ts), dur: whole(dur), args });
        ts += dur;
      }
    }
  }

  /** @param atMs - on the coordinator's clock */
  event(
    { schema: _schema, sequence: _sequence, run: _run, time: _time, type, ...args }: PublicEvent,
    atMs: number,
  ): void {
    if (type !== 'steps') this.write({ name: type, ph: 'i', pid: 0, tid: 0, ts: whole(atMs * 1e3), s: 'g', args });
  }

  async close(): Promise<void> {
    if (this.leftOut > 0)
      this.write({
        name: 'left_out',
        ph: 'M',
        pid: 0,
        tid: 0,
        args: { steps: this.leftOut, reason: 'the disk was slow' },
      });
    if (this.failure !== undefined) return;
    this.file.end('\n]\n');
    await once(this.file, 'close');
  }

  private pidOf(worker: string): number {
    const known = this.pids.get(worker);
    if (known !== undefined) return known;
    const pid = this.pids.size;
    this.pids.set(worker, pid);
    this.write({ name: 'process_name', ph: 'M', pid, tid: 0, args: { name: worker } });
    return pid;
  }

  private write(event: TraceEvent): void {
    if (this.failure !== undefined) return;
    this.file.write(`${this.isFirst ? '[\n' : ',\n'}${JSON.stringify(event)}`);
    this.isFirst = false;
  }
}

function whole(us: number): number {
  return Math.round(us);
}
