import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/core/paths.js';
import { randomStream } from '../../src/core/random.js';

/** Real processes: `lockstep` as a person starts it. */

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with the first match in what was written to stdout, waits for it if need be. */
  seen(pattern: RegExp): Promise<RegExpExecArray>;
  /**
   * Resolves when stdout has a line for each pattern, one after the other. Each line is looked at once: one pattern over many
   * lines is tried anew from every line, again for whatever is written, which takes longer and longer; meanwhile the pipe
   * fills up, and the process that writes into it stands still.
   */
  seenInTurn(...patterns: readonly RegExp[]): Promise<void>;
  /** Stdout so far. */
  written(): string;
  /** Stderr so far. */
  complaints(): string;
  /** The same for stderr. */
  complained(pattern: RegExp): Promise<RegExpExecArray>;
}

/** One place for all tests of a file: data sets are cached in it, as on a user's machine. */
export function workshop(t: { after(fn: () => void): void }) {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-e2e-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string): string => join(folder, name);
  /** A folder with a data set that a run starts on at once. */
  const smallDataset = (): string => {
    mkdirSync(path('data'));
    return writeSmallDataset(path('data'));
  };
  return { folder, path, smallDataset };
}

/** What each process of this file said last: when one waits in vain, another one often knows why. */
const tails = new Set<() => string>();

/** A run that hangs must not hang the suite; far above what any of them takes. */
const usualLimitMs = 120_000;

/**
 * @param cwd - runs/ and the cache lie here
 * @param environment - added to a clean one
 * @param through - a program that runs another one, and its arguments
 * @param limitMs - after which it is killed
 */
export function start(
  args: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string>> = {},
  through: readonly string[] = [],
  limitMs = usualLimitMs,
): Running {
  const [program, ...rest] = [...through, process.execPath, join(packageRoot, 'bin', 'lockstep.js'), ...args];
  const child = spawn(program!, rest, {
    cwd,
    env: {
      PATH: process.env['PATH'],
      HOME: cwd,
      LOCKSTEP_CACHE_DIR: join(cwd, 'cache'),
      NO_COLOR: '1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const watch of watchers) watch();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const watch of watchers) watch();
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const tail = (): string =>
    `lockstep ${args.join(' ').slice(0, 60)}: ${child.signalCode ?? child.exitCode ?? 'runs'}: ${stderr.slice(-300)}`;
  const othersInWords = (): string => [...tails].flatMap((each) => (each === tail ? [] : each())).join('\n');
  tails.add(tail);
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(limit);
      if (code === 0) tails.delete(tail);
      for (const watch of watchers) watch();
      resolve({ code, signal, stdout, stderr });
    });
  });
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const foundInTurn = (patterns: readonly RegExp[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const left = [...patterns];
      let lineStart = 0;
      const watch = (): void => {
        for (let end; left.length > 0 && (end = stdout.indexOf('\n', lineStart)) >= 0; lineStart = end + 1)
          if (left[0]!.test(stdout.slice(lineStart, end))) left.shift();
        if (left.length > 0 && !isOver()) return;
        watchers.delete(watch);
        if (left.length === 0) resolve();
        else
          reject(
            new Error(`the process ended without ${left.join(', then ')}:\n${stdout}\n${stderr}\n${othersInWords()}`),
          );
      };
      watchers.add(watch);
      watch();
    });
  const found = (pattern: RegExp, written: () => string): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        const match = pattern.exec(written());
        if (!match && !isOver()) return;
        watchers.delete(watch);
        if (match) resolve(match);
        else
          reject(new Error(`the process ended without ${String(pattern)}:\n${stdout}\n${stderr}\n${othersInWords()}`));
      };
      watchers.add(watch);
      watch();
    });
  return {
    child,
    ended,
    written: () => stdout,
    complaints: () => stderr,
    seen: (pattern) => found(pattern, () => stdout),
    seenInTurn: (...patterns) => foundInTurn(patterns),
    complained: (pattern) => found(pattern, () => stderr),
  };
}

/** The environment in which an engine has such faults, as engine-faults.ts has them: they need a thread of its own. */
export function engineFaults(faults: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const preload = new URL('./engine-faults.js', import.meta.url).href;
  return { NODE_OPTIONS: `--import ${preload}`, LOCKSTEP_ENGINE_THREAD: 'own', ...faults };
}

/**
 * The environment in which an engine takes so many milliseconds a micro-batch more: for what has to happen, or to be saved, before
 * a run on small data is over.
 *
 * @param whileThere - a file: only for as long as it exists
 */
export function slowEngine(ms: number, whileThere?: string): Readonly<Record<string, string>> {
  const until = whileThere === undefined ? {} : { SLOW_ENGINE_WHILE: whileThere };
  return engineFaults({ SLOW_ENGINE_MS: String(ms), ...until });
}

export function runToEnd(
  args: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return start(args, cwd, environment).ended;
}

export type JsonLine = Readonly<Record<string, unknown>> & { readonly type: string };

/** The lines of `--json`; throws if stdout has anything else. */
export function jsonLines(stdout: string): readonly JsonLine[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonLine);
}

export function lastLine(stdout: string): JsonLine {
  return jsonLines(stdout).at(-1)!;
}

/** Processes whose command line mentions `text` and that are still alive; Linux only, elsewhere none are found. */
export function processesWith(text: string, pids: readonly string[]): readonly string[] {
  return pids.filter((pid) => {
    try {
      return (
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text) &&
        !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
      );
    } catch {
      return false;
    }
  });
}

/**
 * A data set of MNIST's form, small enough that a run starts at once: a bright block whose place is the class.
 *
 * @returns the folder
 */
export function writeSmallDataset(folder: string, trainCount = 480, testCount = 100): string {
  for (const [part, count] of [
    ['train', trainCount],
    ['t10k', testCount],
  ] as const) {
    const random = randomStream(3, part);
    const images = Buffer.alloc(16 + count * 784);
    const labels = Buffer.alloc(8 + count);
    [0x803, count, 28, 28].forEach((value, i) => images.writeUInt32BE(value, i * 4));
    [0x801, count].forEach((value, i) => labels.writeUInt32BE(value, i * 4));
    for (let i = 0; i < count; i++) {
      const label = random.uint32() % 10;
      labels[8 + i] = label;
      for (let p = 0; p < 784; p++) {
        const [row, column] = [Math.floor(p / 28), p % 28];
        const isBlock = row >> 3 === (label < 5 ? 0 : 2) && Math.floor(column / 6) === label % 5;
        images[16 + i * 784 + p] = isBlock ? 200 + (random.uint32() % 56) : random.uint32() % 80;
      }
    }
    writeFileSync(join(folder, `${part}-images-idx3-ubyte`), images);
    writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), labels);
  }
  return folder;
}
