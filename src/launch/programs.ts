/** Lockstep's programs as processes of this machine. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../core/paths.js';

/**
 * V8 has four threads in each process for its garbage collector and compiler. Engines take all cores of the machine, and a
 * thread that exchanges gradients would wait for each of the four to have its turn, the peers with it.
 */
const helperThreads = '--v8-pool-size=1';

/**
 * In a process group of its own, so that Ctrl-C reaches it through us alone.
 *
 * @param output - where standard error goes, and standard output with it if it is inherited
 * @param through - a command that becomes the program at its end
 */
export function startProgram(
  args: readonly string[],
  output: 'inherit' | number,
  secret: Readonly<Record<string, string>> = {},
  through: readonly string[] = [],
): ChildProcess {
  const [execPath = process.execPath, ...before] = [...through, process.execPath];
  return fork(join(packageRoot, 'bin', 'lockstep.js'), args, {
    detached: true,
    execPath,
    // Of a text that is no file nothing is for others.
    execArgv: [...before, helperThreads, ...(process.argv[1] === undefined ? [] : process.execArgv)],
    env: { ...process.env, ...secret },
    stdio: ['ignore', output === 'inherit' ? 'inherit' : 'ignore', output, 'ipc'],
  });
}

/** How a process ended; one that was ended by a signal has failed. */
export interface Ending {
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
}

export function ended(child: ChildProcess): Promise<Ending> {
  const ending = (code: number | null, signal: NodeJS.Signals | null): Ending => ({ code: code ?? 1, signal });
  if (child.exitCode !== null || child.signalCode !== null)
    return Promise.resolve(ending(child.exitCode, child.signalCode));
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(ending(code, signal))));
}
