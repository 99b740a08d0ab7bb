import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FolderLock } from '../store/folder-lock.js';
import { fault } from './faults.js';

/**
 * Where an agent is at home if it is not told: a folder for each host, since several may have the same home directory, and
 * what is noted of programs holds on the host that they run on.
 */
export function usualFolder(environment: Readonly<Record<string, string | undefined>>, host: string): string {
  const state = environment['XDG_STATE_HOME'] ?? join(environment['HOME'] ?? '.', '.local', 'state');
  return join(state, 'lockstep', 'agent', host);
}

/** What outlives an agent on disk. One agent at a time has it: two would take each other's programs for their own. */
export class AgentFolder {
  private constructor(
    readonly path: string,
    private readonly lock: FolderLock,
  ) {}

  /** @throws LockstepError `AGENT_RUNS`, `NOT_WRITABLE` */
  static async take(path: string): Promise<AgentFolder> {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const lock = await FolderLock.acquire(path, (held) => fault('AGENT_RUNS', { ...held, dir: path }));
    writeFileSync(join(path, 'agent.pid'), String(process.pid)); //    for whoever ends it with `kill`
    return new AgentFolder(path, lock);
  }

  /** Of the programs of runs. */
  get programs(): string {
    return join(this.path, 'runs');
  }

  /** Made once: whoever has the folder is the same agent, started again. */
  instance(make: () => string): string {
    const path = join(this.path, 'agent.id');
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      const id = make();
      writeFileSync(path, `${id}\n`);
      return id;
    }
  }

  release(): Promise<void> {
    return this.lock.release();
  }
}
