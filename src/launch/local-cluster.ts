import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { parseHostPort } from '../core/address.js';
import { packageRoot } from '../core/paths.js';
import type { ToChild, ToParent } from '../core/supervision.js';
import { fault } from './faults.js';

/** How often a coordinator that was killed is started again. */
const restartsMax = 10;

/** What to start on this machine. */
export interface LocalClusterOptions {
  readonly workers: number;
  /** What follows `lockstep coordinator`. */
  readonly coordinatorFlags: readonly string[];
  /** The same for a coordinator in place of one that was killed: of the run in `out`, on the same port. */
  restartFlags(out: string, port: number): readonly string[];
  /** What follows `lockstep worker`, of the workers 0, 1 and so on. */
  workerFlags(coordinatorAddress: string, name: string, index: number): readonly string[];
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
  private readonly workers: ChildProcess[] = [];

  constructor(private readonly options: LocalClusterOptions) {}

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
    await Promise.all(this.workers.map(ended));
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
    for (const child of [this.coordinator, ...this.workers]) child?.kill('SIGKILL');
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
      if (isFirst) this.startWorkers(message);
      this.isHeard = true;
      for (const each of this.told) coordinator.send(each, () => undefined);
    });
    coordinator.once('exit', () => (this.isHeard = false));
    return ended(coordinator);
  }

  private startWorkers({ address, out, token }: ToParent): void {
    for (let i = 0; i < this.options.workers; i++) {
      const name = `worker-${i}`;
      const logFile = openSync(join(out, 'logs', `${name}.jsonl`), 'a');
      const secret = token === undefined ? {} : { LOCKSTEP_TOKEN: token }; // a command line can be read by anybody
      const worker = startProgram(['worker', ...this.options.workerFlags(address, name, i)], logFile, secret);
      closeSync(logFile);
      this.workers.push(worker);
      void ended(worker).then(({ code, signal }) => {
        const reason =
          signal === null ? `its process ended with exit code ${code}` : `its process was ended by ${signal}`;
        if (code !== 0) this.tell({ type: 'worker-ended', worker: name, reason });
      });
    }
  }

  private tell(message: ToChild): void {
    this.told.push(message);
    if (this.isHeard && this.coordinator?.connected) this.coordinator.send(message, () => undefined);
  }
}

/** @param output - where standard error goes, and standard output with it if it is inherited */
function startProgram(
  args: readonly string[],
  output: 'inherit' | number,
  secret: Readonly<Record<string, string>> = {},
): ChildProcess {
  return fork(join(packageRoot, 'bin', 'lockstep.js'), args, {
    detached: true,
    env: { ...process.env, ...secret },
    stdio: ['ignore', output === 'inherit' ? 'inherit' : 'ignore', output, 'ipc'],
  });
}

/** How a process ended; one that was ended by a signal has failed. */
interface Ending {
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
}

function ended(child: ChildProcess): Promise<Ending> {
  const ending = (code: number | null, signal: NodeJS.Signals | null): Ending => ({ code: code ?? 1, signal });
  if (child.exitCode !== null || child.signalCode !== null)
    return Promise.resolve(ending(child.exitCode, child.signalCode));
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(ending(code, signal))));
}
