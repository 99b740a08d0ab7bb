import { endOfTurn, type Clock } from '../core/clock.js';
import type { ParameterLayout } from '../core/layout.js';
import type { EngineName } from './engine.js';
import type { Computed, ComputedNode, ComputeJob, EngineSetup, JobEngine } from './job.js';
import { JobRunner } from './job-runner.js';

/**
 * An engine on the thread that asks, which exchanges between two micro-batches. Where workers fill all cores, handing a
 * job to another thread only adds to what waits for a core: two of them a worker, and each handover waits for its turn.
 */
export class EngineInPlace implements JobEngine {
  private isRunning = false;
  private isStopped = false;

  private constructor(private readonly jobs: JobRunner) {}

  /** @throws what creating the engine throws */
  static async start(setup: EngineSetup, clock: Clock): Promise<EngineInPlace> {
    const self: EngineInPlace = new EngineInPlace(await JobRunner.open(setup, clock, () => self.pause()));
    return self;
  }

  get name(): EngineName {
    return this.jobs.engine.name;
  }

  get deterministic(): boolean {
    return this.jobs.engine.deterministic;
  }

  get layout(): ParameterLayout {
    return this.jobs.engine.layout;
  }

  async compute(job: ComputeJob, onNode?: (node: ComputedNode) => void): Promise<Computed> {
    if (this.isRunning) throw new Error('a job is running already');
    this.isRunning = true;
    try {
      await this.pause(); //                                          headers are on their way before the cores are busy
      let told = 0;
      const computed = await this.jobs.compute(job, (node) => {
        told++;
        onNode?.(node);
      });
      for (const node of computed.nodes.slice(told)) onNode?.(node);
      const { next } = job;
      if (next) void endOfTurn().then(() => this.prefetch(next)); //  when what was just told is on its way
      return computed;
    } finally {
      this.isRunning = false;
    }
  }

  private prefetch(next: NonNullable<ComputeJob['next']>): void {
    if (!this.isStopped && !this.isRunning) this.jobs.prefetch(next);
  }

  /** What waits in the event loop has its turn: frames, heartbeats. */
  private async pause(): Promise<void> {
    await endOfTurn();
    if (this.isStopped) throw new Error('the engine was stopped');
  }

  /** At the next micro-batch. */
  stop(): Promise<void> {
    this.isStopped = true;
    this.jobs.engine.close?.();
    return Promise.resolve();
  }
}
