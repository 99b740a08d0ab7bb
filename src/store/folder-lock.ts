/**
 * One process at a time works on a folder: that of a run, or of an agent. Its mark is a file `lock.<n>` that says who it
 * is; a mark whose process is gone counts for nothing.
 *
 * A stale mark is never replaced but topped, by `lock.<n+1>`, which only one process can create: to remove it and then
 * create it anew would let a second process remove the mark of the first.
 */
import { readFileSync } from 'node:fs';
import { open, readFile, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { writeFault } from '../core/atomic-file.js';
import { fault } from './faults.js';

const lockName = /^lock\.(\d+)$/;

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** What tells the process from a later one with the same number; empty where the system does not say. */
  readonly birth: string;
}

/** Who has the folder, and the file that says so. */
export interface Held {
  readonly owner: string;
  readonly lock: string;
}

export class FolderLock {
  private isReleased = false;

  private constructor(private readonly path: string) {}

  /**
   * @param inUse - what is thrown if somebody has it
   * @throws LockstepError `RUN_IN_USE` where nothing else is given, `NOT_WRITABLE`
   */
  static async acquire(
    folder: string,
    inUse: (held: Held) => Error = (held) => fault('RUN_IN_USE', { ...held, path: folder }),
  ): Promise<FolderLock> {
    const refuseIfHeld = (marks: readonly Mark[]): void => {
      const held = holding(marks);
      if (held) throw inUse({ owner: ownerInWords(held), lock: held.name });
    };
    for (;;) {
      const marks = await marksIn(folder);
      refuseIfHeld(marks);
      const number = Math.max(0, ...marks.map((mark) => mark.number)) + 1;
      const lock = new FolderLock(join(folder, `lock.${number}`));
      if (!(await lock.create())) continue; //                       somebody was faster: look who
      const others = (await marksIn(folder)).filter((mark) => mark.number !== number);
      try {
        refuseIfHeld(others); //                                     created while we looked, under a lower number
      } catch (error) {
        await lock.release();
        throw error;
      }
      for (const { name } of others) await rm(join(folder, name), { force: true });
      return lock;
    }
  }

  /** Whether a process works on the folder. */
  static async isHeld(folder: string): Promise<boolean> {
    return holding(await marksIn(folder)) !== undefined;
  }

  /** Only the first call does something: later the same file may be another process's. */
  async release(): Promise<void> {
    if (this.isReleased) return;
    this.isReleased = true;
    await rm(this.path, { force: true });
  }

  /** @returns false when the file is there already */
  private async create(): Promise<boolean> {
    const owner: Owner = { pid: process.pid, host: hostname(), birth: birthOf(process.pid) };
    const file = await open(this.path, 'wx').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined;
      throw writeFault(this.path, error);
    });
    if (!file) return false;
    try {
      await file.writeFile(JSON.stringify(owner));
    } catch (error) {
      await this.release();
      throw writeFault(this.path, error);
    } finally {
      await file.close();
    }
    return true;
  }
}

interface Mark {
  readonly name: string;
  readonly number: number;
  /** Undefined while its process is just writing it. */
  readonly owner: Owner | undefined;
}

async function marksIn(folder: string): Promise<readonly Mark[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw writeFault(folder, error);
  });
  const marks: Mark[] = [];
  for (const name of names) {
    const number = lockName.exec(name)?.[1];
    if (number === undefined) continue;
    const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (text !== undefined) marks.push({ name, number: Number(number), owner: ownerIn(text) }); // else just removed
  }
  return marks;
}

function ownerIn(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return undefined;
  }
}

function holding(marks: readonly Mark[]): Mark | undefined {
  return marks.find(({ owner }) => owner === undefined || isAlive(owner));
}

function ownerInWords({ owner }: Mark): string {
  return owner ? `process ${owner.pid} on ${owner.host}` : 'a process that did not finish writing its name';
}

/** Of a process on another machine nothing is known, so it counts as alive. */
function isAlive({ pid, host, birth }: Owner): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'; // there, but another user's
  }
  return birth === '' || birthOf(pid) === birth;
}

/** Linux: the boot, and the clock tick in which the process began. */
function birthOf(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before it may hold anything
    if (fields[0] === 'Z') return ''; //                             it has ended, and its parent has not noticed yet
    return `${boot}:${fields[19] ?? ''}`; //                         field 22 of stat; two came before the name's end
  } catch {
    return '';
  }
}
