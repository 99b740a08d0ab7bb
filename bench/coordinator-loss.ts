/**
 * What `kill -9` of the coordinator costs: the longest gap between two steps by the workers' own clocks, and the time until
 * all of them are back at the one that is there in its place: started anew, or a standby that takes its lease in NATS over.
 *
 *     npm run build && node dist/bench/coordinator-loss.js [kills, default 5] [workers, default 2] [standby]
 *
 * LeNet-5 on MNIST, global batch 256. Workers log each step (`--log-level debug`). Gaps are looked for from the kill until
 * half a second after the last worker was back, and, for comparison, in as much time before the kill. The new coordinator
 * starts as soon as the old one is gone, as under `lockstep train`; with `standby` it has been waiting, and a real
 * nats-server is needed. Prints one JSON object a kill and one in all; times in milliseconds.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../src/core/paths.js';
import { NatsServer } from '../test/e2e/nats-server.js';
import { scratchFolder } from './leave-nothing.js';

interface LogLine {
  /** ISO 8601, to the millisecond. */
  readonly time: string;
  readonly msg: string;
}

const kills = Number(process.argv[2] ?? 5);
const worldSize = Number(process.argv[3] ?? 2);
const hasStandby = process.argv[4] === 'standby';
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

interface Measured {
  readonly gapMs: number;
  readonly gapBeforeMs: number;
  /** Until the new coordinator says that it leads the run. */
  readonly inChargeMs: number;
  /** Until the last worker is back. */
  readonly backMs: number;
}

/** @param server - where the lease and the journal are, and a second coordinator waits for the first one's */
async function measure(server?: NatsServer): Promise<Measured> {
  const folder = scratchFolder('coordinator-loss');
  const nats = server ? ['--nats', server.url, '--run', basename(folder)] : [];
  const whereIn = (out: string) => ['--metrics-port', '0', '--json', '--out', join(folder, out)];
  const size = ['--global-batch', '256', '--micro-batch', '32', '--eval-every', '1000000steps'];
  const spec = ['--workers', String(worldSize), '--steps', String(steps), ...size];
  const children: ChildProcess[] = [];
  const begin = (args: readonly string[]): ChildProcess => {
    const child = lockstep(args);
    children.push(child);
    return child;
  };
  const coordinatorOf = (args: readonly string[]) =>
    linesOf<{ type: string; coordinator?: string }>(begin(['coordinator', ...args]).stdout!);
  try {
    const first = coordinatorOf([...spec, '--port', '0', ...nats, ...whereIn('run')]);
    const { coordinator } = await first.until(({ type }) => type === 'listening');
    const towards = server ? nats : ['--coordinator', coordinator!];
    const logs = Array.from({ length: worldSize }, (_, i) => {
      const flags = [...towards, '--name', `w${i}`, '--exchange-port', '0', '--metrics-port', '0'];
      return linesOf<LogLine>(begin(['worker', ...flags, '--log-level', 'debug']).stderr!);
    });
    await Promise.all(logs.map((log) => log.until(isStep)));
    const standby = server && coordinatorOf([...nats, '--standby', '--port', '0', ...whereIn('standby')]);
    await pause(trainedMs);
    const victim = children[0]!;
    const gone = once(victim, 'exit');
    const killedMs = Date.now();
    victim.kill('SIGKILL');
    await gone;
    const second = standby ?? coordinatorOf(['--restore', ...whereIn('run')]);
    await second.until(({ type }) => type === 'restored');
    const inChargeMs = Date.now() - killedMs;
    const back = await Promise.all(logs.map((log) => log.until(isBack)));
    const backAtMs = Math.max(...back.map(timeMsOf));
    await pause(700);
    const windowMs = backAtMs + 500 - killedMs;
    const longest = (from: number) => Math.max(...logs.map(({ lines }) => longestGapMs(lines, from, from + windowMs)));
    return {
      gapMs: longest(killedMs),
      gapBeforeMs: longest(killedMs - windowMs),
      inChargeMs,
      backMs: backAtMs - killedMs,
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    for (const child of children) if ((child.exitCode ?? child.signalCode) === null) await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

const server = hasStandby ? new NatsServer() : undefined;
await server?.start();
const measured: Measured[] = [];
try {
  for (let i = 0; i < kills; i++) {
    const one = await measure(server);
    process.stdout.write(`${JSON.stringify(one)}\n`);
    measured.push(one);
  }
} finally {
  await server?.close();
}
const spread = (values: readonly number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)], worst: sorted.at(-1) };
};
process.stdout.write(
  `${JSON.stringify({
    kills,
    workers: worldSize,
    successor: hasStandby ? 'standby' : 'restarted',
    longestGapMs: spread(measured.map(({ gapMs }) => gapMs)),
    longestGapBeforeMs: spread(measured.map(({ gapBeforeMs }) => gapBeforeMs)),
    inChargeAfterMs: spread(measured.map(({ inChargeMs }) => inChargeMs)),
    backAfterMs: spread(measured.map(({ backMs }) => backMs)),
  })}\n`,
);
