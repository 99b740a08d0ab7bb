/**
 * What `kill -9` of the coordinator costs: the longest gap between two steps by the workers' own clocks, and the time until
 * all of them are back at the one that is started in its place.
 *
 *     npm run build && node dist/bench/coordinator-loss.js [kills, default 5] [workers, default 2]
 *
 * LeNet-5 on MNIST, global batch 256. Workers log each step (`--log-level debug`). Gaps are looked for from the kill until
 * half a second after the last worker was back, and, for comparison, in as much time before the kill. The new coordinator
 * starts as soon as the old one is gone, as under `lockstep train`. Prints one JSON object; all times in milliseconds.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../src/core/paths.js';

interface LogLine {
  /** ISO 8601, to the millisecond. */
  readonly time: string;
  readonly msg: string;
}

const kills = Number(process.argv[2] ?? 5);
const worldSize = Number(process.argv[3] ?? 2);
const steps = 100_000; //                                              ended by us
const trainedMs = 4_000;
const limitMs = 30_000;

const lockstep = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [join(packageRoot, 'bin', 'lockstep.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Lines of a process as they come. */
function linesOf<T>(stream: NodeJS.ReadableStream): {
  readonly lines: T[];
  until(isIt: (line: T) => boolean): Promise<T>;
} {
  const lines: T[] = [];
  const watchers = new Set<() => void>();
  createInterface({ input: stream }).on('line', (text) => {
    try {
      lines.push(JSON.parse(text) as T);
    } catch {
      return; //                                                     not a line of ours
    }
    for (const watch of watchers) watch();
  });
  const until = (isIt: (line: T) => boolean): Promise<T> =>
    new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error('it did not happen in time')), limitMs);
      const watch = (): void => {
        const found = lines.find(isIt);
        if (!found) return;
        watchers.delete(watch);
        clearTimeout(limit);
        resolve(found);
      };
      watchers.add(watch);
      watch();
    });
  return { lines, until };
}

const timeMsOf = ({ time }: LogLine): number => Date.parse(time);
const isStep = ({ msg }: LogLine): boolean => msg.startsWith('finished step');
const isBack = ({ msg }: LogLine): boolean => msg.endsWith('is there again');

/** The longest time from one step to the next, of those that end in the window. */
function longestGapMs(log: readonly LogLine[], fromMs: number, untilMs: number): number {
  const times = log.filter(isStep).map(timeMsOf);
  const gaps = times.flatMap((time, i) =>
    i > 0 && time >= fromMs && times[i - 1]! <= untilMs ? time - times[i - 1]! : [],
  );
  return Math.max(...gaps);
}

async function measure(): Promise<{ readonly gapMs: number; readonly gapBeforeMs: number; readonly backMs: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-coordinator-loss-'));
  const where = ['--metrics-port', '0', '--json', '--out', join(folder, 'run')];
  const spec = [
    '--workers',
    String(worldSize),
    '--steps',
    String(steps),
    '--global-batch',
    '256',
    '--micro-batch',
    '32',
  ];
  const children: ChildProcess[] = [];
  const begin = (args: readonly string[]): ChildProcess => {
    const child = lockstep(args);
    children.push(child);
    return child;
  };
  try {
    const first = begin(['coordinator', ...spec, '--eval-every', '1000000steps', '--port', '0', ...where]);
    const { coordinator } = await linesOf<{ type: string; coordinator?: string }>(first.stdout!).until(
      ({ type }) => type === 'listening',
    );
    const logs = Array.from({ length: worldSize }, (_, i) => {
      const flags = ['--coordinator', coordinator!, '--name', `w${i}`, '--exchange-port', '0', '--metrics-port', '0'];
      return linesOf<LogLine>(begin(['worker', ...flags, '--log-level', 'debug']).stderr!);
    });
    await Promise.all(logs.map((log) => log.until(isStep)));
    await pause(trainedMs);
    const gone = once(first, 'exit');
    const killedMs = Date.now();
    first.kill('SIGKILL');
    await gone;
    const startedMs = Date.now();
    begin(['coordinator', '--restore', ...where]).stdout!.resume();
    const back = await Promise.all(logs.map((log) => log.until(isBack)));
    const backAtMs = Math.max(...back.map(timeMsOf));
    await pause(700);
    const windowMs = backAtMs + 500 - killedMs;
    const longest = (from: number) => Math.max(...logs.map(({ lines }) => longestGapMs(lines, from, from + windowMs)));
    return { gapMs: longest(killedMs), gapBeforeMs: longest(killedMs - windowMs), backMs: backAtMs - startedMs };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    for (const child of children) if ((child.exitCode ?? child.signalCode) === null) await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

const measured = [];
for (let i = 0; i < kills; i++) measured.push(await measure());
const spread = (values: readonly number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)], worst: sorted.at(-1) };
};
process.stdout.write(
  `${JSON.stringify({
    kills,
    workers: worldSize,
    longestGapMs: spread(measured.map(({ gapMs }) => gapMs)),
    longestGapBeforeMs: spread(measured.map(({ gapBeforeMs }) => gapBeforeMs)),
    backAfterMs: spread(measured.map(({ backMs }) => backMs)),
  })}\n`,
);
