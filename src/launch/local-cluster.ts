import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../core/paths.js';
import type { ToChild, ToParent } from '../core/supervision.js';
import { fault } from './faults.js';

/** What to start on this machine. */
export interface LocalClusterOptions {
  readonly workers: number;
  /** What follows `lockstep coordinator`. */
  readonly coordinatorFlags: readonly string[];
  /** What follows `lockstep worker`. */
  workerFlags(coordinatorAddress: string, name: string): readonly string[];
}

/**
 * A coordinator and its workers as processes of this machine. The coordinator has this process's output; workers write
 * to logs/ in the run's folder. Each is in a process group of its own, so that Ctrl-C reaches them through us alone.
 */
export class LocalCluster {
  private coordinator: ChildProcess | undefined;
  private readonly workers: ChildProcess[] = [];

  constructor(private readonly options: LocalClusterOptions) {}

  /**
   * Starts everything.
   *
   * @returns the coordinator's exit code, when all processes have ended
   * @throws LockstepError `COORDINATOR_ENDED` if it could not end by itself
   */
  async run(): Promise<number> {
    const coordinator = startProgram(['coordinator', ...this.options.coordinatorFlags], 'inherit');
    this.coordinator = coordinator;
    coordinator.on('message', (message: ToParent) => this.startWorkers(message));
    const { code, signal } = await ended(coordinator);
    await Promise.all(this.workers.map(ended));
    if (signal !== null) throw fault('COORDINATOR_ENDED', { signal });
    return code;
  }

  /** Asks for a clean end. */
  stop(reason: string): void {
    this.tellCoordinator({ type: 'stop', reason });
  }

  /** Ends every process at once. */
  kill(): void {
    for (const child of [this.coordinator, ...this.workers]) child?.kill('SIGKILL');
  }

  private startWorkers({ address, out }: ToParent): void {
    for (let i = 0; i < this.options.workers; i++) {
      const name = `worker-${i}`;
      const logFile = openSync(join(out, 'logs', `${name}.jsonl`), 'a');
      const worker = startProgram(['worker', ...this.options.workerFlags(address, name)], logFile);
      closeSync(logFile);
      this.workers.push(worker);
      void ended(worker).then(({ code, signal }) => {
        const reason =
          signal === null ? `its process ended with exit code ${code}` : `its process was ended by ${signal}`;
        if (code !== 0) this.tellCoordinator({ type: 'worker-ended', worker: name, reason });
      });
    }
  }

  private tellCoordinator(message: ToChild): void {
    if (this.coordinator?.connected) this.coordinator.send(message, () => undefined);
  }
}

/** @param output - where standard error goes, and standard output with it if it is inherited */
function startProgram(args: readonly string[], output: 'inherit' | number): ChildProcess {
  return fork(join(packageRoot, 'bin', 'lockstep.js'), args, {
    detached: true,
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
