/** PyTorch on the same device, asked line by line: bench/peers/engine_step.py. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { packageRoot } from '../../src/core/paths.js';

/** Milliseconds by variant: `eager`, and `compile` where it was asked for. */
export type TorchTimes = Readonly<Record<string, number>>;

export interface Torch {
  readonly version: string;
  measure(ask: { model: string; batch: number; repeats: number; compile: boolean }): Promise<TorchTimes>;
  stop(): void;
}

/** @returns why there is none, where Python, PyTorch or the device is missing */
export async function startTorch(python: string, device: string): Promise<Torch | string> {
  const program = [join(packageRoot, 'bench/peers/engine_step.py'), '--device', device];
  const child = spawn(python, program, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints = (complaints + String(chunk)).slice(-2000)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  if (!(await started(child))) return `${python} cannot be started`;
  const answer = async (): Promise<unknown> => {
    const line = await lines.next();
    return line.done ? undefined : JSON.parse(line.value);
  };
  const hello = (await answer()) as { version: string } | undefined;
  if (!hello) return complaints.trim().split('\n').at(-1) ?? 'it ended without a word';
  return {
    version: hello.version,
    async measure(ask) {
      child.stdin.write(`${JSON.stringify(ask)}\n`);
      const times = await answer();
      if (times === undefined) throw new Error(`PyTorch ended in the middle: ${complaints}`);
      return times as TorchTimes;
    },
    stop: () => child.stdin.end(),
  };
}

function started(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
}
