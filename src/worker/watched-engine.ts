import type { Clock } from '../core/clock.js';
import type { ParameterLayout } from '../core/layout.js';
import type { EngineName } from '../engine/engine.js';
import type { Computed, ComputedNode, ComputeJob } from '../engine/job.js';
import { fault } from './faults.js';
import type { PreparedRun, RunEngine } from './prepared-run.js';

/** No job is given up sooner, whatever was observed: a machine may be busy with something else. */
const floorMs = 20_000;
/** A job is given up after so many times what the slowest one took for as many samples. */
const patience = 20;
/** Taken for slow until something was observed: a large net in plain JavaScript, and compiling it before. */
const firstSampleMs = 1_000;
const firstJobMs = 60_000;
/** How often it looks. What passes while the process itself stood still does not count. */
const lookMs = 1_000;
/** A thread in the middle of native code cannot be ended: nobody waits longer for it. */
const stopMs = 2_000;

interface JobPlace {
  readonly host: string;
  readonly rank: number;
  readonly step: number;
}

export interface WatchedEngineNeeds {
  readonly clock: Clock;
  readonly microBatchSize: number;
  /** Where a job belongs that is under way, for whoever reads that it hangs. */
  where(): JobPlace;
  /** The thread could not be ended: the process has to be, from outside of it. */
  stuck(): void;
}

/**
 * An engine that hangs is found out: a loop in a kernel or a driver that never answers would hold up every other worker
 * for ever, as heartbeats go on beside it. The limit comes from what jobs took before.
 */
export class WatchedEngine implements RunEngine {
  private slowestMsPerSample = 0;
  private isHung = false;
  /** The job under way, for whoever has to wait until it is over; rejected for good with what ended the engine. */
  private running: Promise<void> | undefined;

  constructor(
    private readonly engine: RunEngine,
    private readonly needs: WatchedEngineNeeds,
  ) {}

  get name(): EngineName {
    return this.engine.name;
  }

  get deterministic(): boolean {
    return this.engine.deterministic;
  }

  get layout(): ParameterLayout {
    return this.engine.layout;
  }

  get busy(): Promise<void> | undefined {
    return this.running;
  }

  /**
   * Begins when the job before is over, if somebody did not wait for that.
   *
   * @throws LockstepError `ENGINE_HUNG`; and what the engine throws
   */
  async compute(job: ComputeJob, onNode?: (node: ComputedNode) => void): Promise<Computed> {
    while (this.running) await this.running;
    const computing = this.watched(job, onNode);
    const running = computing.then(() => {
      if (this.running === running) this.running = undefined;
    });
    running.catch(() => undefined); //                                whoever waits for either of them hears of it
    this.running = running;
    return computing;
  }

  private async watched(job: ComputeJob, onNode?: (node: ComputedNode) => void): Promise<Computed> {
    const where = this.needs.where(); //                              the run may be further when it is found to hang
    const samples = (job.range.end - job.range.first) * this.needs.microBatchSize;
    const beginMs = this.needs.clock.nowMs();
    const computing = this.engine.compute(job, onNode);
    const computed = await this.within(this.limitMs(samples), computing, (ranMs) => this.hung(job, ranMs, where));
    const tookMs = this.needs.clock.nowMs() - beginMs;
    if (samples > 0) this.slowestMsPerSample = Math.max(this.slowestMsPerSample, tookMs / samples);
    return computed;
  }

  /** Ends the thread, as far as it can be ended. */
  async stop(): Promise<void> {
    const stopping = this.engine.stop();
    if (!this.isHung) return stopping;
    await this.within(stopMs, stopping, () => new Error('stuck')).catch(() => this.needs.stuck());
  }

  /** What `work` resolves with, if it does so while this process has run for `limitMs`. */
  private async within<T>(limitMs: number, work: Promise<T>, late: (ranMs: number) => Error): Promise<T> {
    const { clock } = this.needs;
    let cancel = (): void => undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      const look = (ranMs: number, sinceMs: number): void => {
        if (ranMs >= limitMs) return reject(late(ranMs));
        cancel = clock.setTimer(lookMs, () => {
          const nowMs = clock.nowMs();
          look(ranMs + Math.min(nowMs - sinceMs, 2 * lookMs), nowMs);
        });
      };
      look(0, clock.nowMs());
    });
    try {
      return await Promise.race([work, limit]);
    } finally {
      cancel();
      work.catch(() => undefined); //                                 whatever comes of it now, nobody waits for it
    }
  }

  private limitMs(samples: number): number {
    const readMs = this.engine.readTimeoutMs ?? 0; //                   a read that hangs is found out by whoever waits for it
    if (this.slowestMsPerSample === 0) return readMs + firstJobMs + samples * firstSampleMs;
    return readMs + Math.max(floorMs, patience * this.slowestMsPerSample * samples);
  }

  private hung({ purpose, range }: ComputeJob, ranMs: number, where: JobPlace): Error {
    this.isHung = true;
    const phase = purpose === 'gradient' ? 'forward and backward' : 'evaluation';
    const seconds = Math.round(ranMs / 1000);
    return fault('ENGINE_HUNG', { engine: this.name, phase, seconds, ...range, ...where });
  }
}

/** @param where - this worker is at the moment @param stuck - as in `WatchedEngineNeeds` */
export function watchEngine(
  { engine, spec, state }: PreparedRun,
  clock: Clock,
  where: () => { readonly host: string; readonly rank: number },
  stuck: () => void,
): WatchedEngine {
  return new WatchedEngine(engine, {
    clock,
    microBatchSize: spec.microBatchSize,
    where: () => ({ ...where(), step: state.progression.step + 1 }),
    stuck,
  });
}
