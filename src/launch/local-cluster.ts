import type { ChildProcess } from 'node:child_process';
import { parseHostPort } from '../core/address.js';
import type { ToChild, ToParent } from '../core/supervision.js';
import { fault } from './faults.js';
import { LocalWorkers, type LocalWorkersOptions } from './local-workers.js';
import { ended, startProgram, type Ending } from './programs.js';

/** How often a coordinator that was killed is started again. */
const restartsMax = 10;

/** What to start on this machine. */
export interface LocalClusterOptions extends LocalWorkersOptions {
  /** What follows `lockstep coordinator`. */
  readonly coordinatorFlags: readonly string[];
  /** The same for a coordinator in place of one that was killed: of the run in `out`, on the same port. */
  restartFlags(out: string, port: number): readonly string[];
}

/**
 * A coordinator and its workers as processes of this machine. The coordinator has this process's output; workers write
 * to logs/ in the run's folder. Each is in a process group of its own, so that Ctrl-C reaches them through us alone.
 */
export class LocalCluster {
  private coordinator: ChildProcess | undefined;
  /** What the coordinator said when it could be reached first. */
  private listening: ToParent | undefined;
  /** What each coordinator has to know, a later one too. */
  private readonly told: ToChild[] = [];
  /** Whether the coordinator that runs has said that it can be reached: before, it does not listen to us either. */
  private isHeard = false;
  private isKilled = false;
  private readonly workers: LocalWorkers;

  constructor(private readonly options: LocalClusterOptions) {
    this.workers = new LocalWorkers(options, (worker, reason) => this.tell({ type: 'worker-ended', worker, reason }));
  }

  /**
   * Starts everything.
   *
   * @returns the coordinator's exit code, when all processes have ended
   * @throws LockstepError `COORDINATOR_ENDED` if it could not end by itself, once too often
   */
  async run(): Promise<number> {
    let ending = await this.runCoordinator(this.options.coordinatorFlags);
    for (let restarts = 0; ending.signal !== null && this.isToRestart(restarts); restarts++) {
      const { out, address } = this.listening!;
      ending = await this.runCoordinator(this.options.restartFlags(out, parseHostPort(address)!.port));
    }
    await this.workers.ended();
    if (ending.signal !== null) throw fault('COORDINATOR_ENDED', { signal: ending.signal });
    return ending.code;
  }

  /** Asks for a clean end. */
  stop(reason: string): void {
    this.tell({ type: 'stop', reason });
  }

  /** Ends every process at once. */
  kill(): void {
    this.isKilled = true;
    this.coordinator?.kill('SIGKILL');
    this.workers.kill();
  }

  /** One that somebody killed is started again, unless it has never come as far as to have a run to go on with. */
  private isToRestart(restarts: number): boolean {
    return this.listening !== undefined && restarts < restartsMax && !this.isKilled;
  }

  private runCoordinator(flags: readonly string[]): Promise<Ending> {
    const coordinator = startProgram(['coordinator', ...flags], 'inherit');
    this.coordinator = coordinator;
    coordinator.on('message', (message: ToParent) => {
      const isFirst = this.listening === undefined;
      this.listening ??= message;
      if (isFirst) this.workers.start(message);
      this.isHeard = true;
      for (const each of this.told) coordinator.send(each, () => undefined);
    });
    coordinator.once('exit', () => (this.isHeard = false));
    return ended(coordinator);
  }

  private tell(message: ToChild): void {
    this.told.push(message);
    if (this.isHeard && this.coordinator?.connected) this.coordinator.send(message, () => undefined);
  }
}
