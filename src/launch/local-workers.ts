import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { ToParent } from '../core/supervision.js';
import { ended, startProgram } from './programs.js';

/** Which workers to start on this machine. */
export interface LocalWorkersOptions {
  readonly workers: number;
  /** What follows `lockstep worker`, of the workers 0, 1 and so on. */
  workerFlags(coordinatorAddress: string, name: string, index: number): readonly string[];
  /** A command for each worker through which it is started: that which keeps it to its cores. */
  readonly bindings?: readonly (readonly string[])[] | undefined;
}

/** The workers of a run as processes of this machine. They write to logs/ in the run's folder. */
export class LocalWorkers {
  private readonly processes: ChildProcess[] = [];

  /** @param onFailure - told of each that does not end well */
  constructor(
    private readonly options: LocalWorkersOptions,
    private readonly onFailure: (worker: string, reason: string) => void,
  ) {}

  /** When the coordinator can be reached. */
  start({ address, out, token }: ToParent): void {
    for (let i = 0; i < this.options.workers; i++) {
      const name = `worker-${i}`;
      const logFile = openSync(join(out, 'logs', `${name}.jsonl`), 'a');
      const secret = token === undefined ? {} : { LOCKSTEP_TOKEN: token }; // a command line can be read by anybody
      const { options } = this;
      const args = ['worker', ...options.workerFlags(address, name, i)];
      const worker = startProgram(args, logFile, secret, options.bindings?.[i]);
      closeSync(logFile);
      this.processes.push(worker);
      void ended(worker).then(({ code, signal }) => {
        const reason =
          signal === null ? `its process ended with exit code ${code}` : `its process was ended by ${signal}`;
        if (code !== 0) this.onFailure(name, reason);
      });
    }
  }

  /** Resolves when none is left. */
  async ended(): Promise<void> {
    await Promise.all(this.processes.map(ended));
  }

  /** At once. */
  kill(): void {
    for (const worker of this.processes) worker.kill('SIGKILL');
  }
}
