import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../core/paths.js';

/** A program of a run that an agent started, as it is remembered in a file. */
export interface ProgramNote {
  readonly pid: number;
  /** When it started, as the system counts: another process may have the same id later. */
  readonly started: string;
  readonly run: string;
  readonly kind: 'coordinator' | 'worker';
  /** Of a worker: which place of the run it has, and on which slot. */
  readonly place: number;
  readonly slot: number;
}

/** How a program ended; unknown of one that an earlier agent had started. */
export type Ending = { readonly code: number | null; readonly signal: string | null } | 'unknown';

/** One program that goes on when its agent does not: it belongs to nobody's process group, and writes into a file. */
export class Program {
  private ending: Ending | undefined;

  private constructor(
    readonly note: ProgramNote,
    private readonly folder: string,
    private readonly isOurs: boolean,
  ) {}

  /**
   * @param args - what follows `lockstep`
   * @param environment - added to our own
   */
  static start(
    folder: string,
    note: Omit<ProgramNote, 'pid' | 'started'>,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Program {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const log = openSync(logPath(folder, note), 'a', 0o600);
    const child = spawn(process.execPath, [join(packageRoot, 'bin', 'lockstep.js'), ...args], {
      detached: true,
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', log],
    });
    closeSync(log);
    child.unref();
    const pid = child.pid ?? 0;
    const program = new Program({ ...note, pid, started: startOf(pid) ?? '' }, folder, true);
    child.once('error', () => (program.ending = { code: 1, signal: null }));
    child.once('exit', (code, signal) => (program.ending = { code, signal }));
    writeFileSync(notePath(folder, note), JSON.stringify(program.note), { mode: 0o600 });
    return program;
  }

  /** Those that an earlier agent started in this folder, and that live. */
  static find(folder: string): readonly Program[] {
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => name.endsWith('.pid'))
      .flatMap((name) => {
        const path = join(folder, name);
        const note = parse(readFileSync(path, 'utf8'));
        if (note && startOf(note.pid) === note.started) return [new Program(note, folder, false)];
        rmSync(path, { force: true });
        return [];
      });
  }

  /** What others call it: `coordinator`, `worker-3`. */
  get who(): string {
    return whoIs(this.note);
  }

  get log(): string {
    return logPath(this.folder, this.note);
  }

  /** How it ended; undefined while it lives. */
  ended(): Ending | undefined {
    if (this.isOurs || this.ending !== undefined) return this.ending;
    if (startOf(this.note.pid) !== this.note.started) this.ending = 'unknown';
    return this.ending;
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.ended() !== undefined) return;
    try {
      process.kill(this.note.pid, signal);
    } catch {
      // It has just ended.
    }
  }

  /** It has ended, and nobody needs to find it. */
  forget(): void {
    rmSync(notePath(this.folder, this.note), { force: true });
  }
}

type Named = Pick<ProgramNote, 'run' | 'kind' | 'place'>;

function whoIs({ kind, place }: Named): string {
  return kind === 'coordinator' ? kind : `${kind}-${place}`;
}

function notePath(folder: string, note: Named): string {
  return join(folder, `${note.run}.${whoIs(note)}.pid`);
}

function logPath(folder: string, note: Named): string {
  return join(folder, `${note.run}.${whoIs(note)}.log`);
}

function parse(text: string): ProgramNote | undefined {
  try {
    return JSON.parse(text) as ProgramNote;
  } catch {
    return undefined; //                                              cut short when the machine went down: so did the process
  }
}

/** When a process started, in ticks since the system did; elsewhere than on Linux only that it lives. Undefined if it does not. */
function startOf(pid: number): string | undefined {
  if (pid <= 0) return undefined;
  try {
    if (process.platform !== 'linux') return process.kill(pid, 0) ? 'alive' : undefined;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : rest[18];
  } catch {
    return undefined;
  }
}
