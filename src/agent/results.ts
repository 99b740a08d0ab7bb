import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { resultsIn, type ResultFile } from '../store/results.js';
import type { RunFile, RunFilesSource } from '../transport/nats/run-files.js';
import { outFoldersOf } from './run-paths.js';

/** What coordinators of runs have left in this agent's folder. */
export class Results implements RunFilesSource {
  /** @param folder - of the programs */
  constructor(private readonly folder: string) {}

  async list(run: string): Promise<readonly RunFile[]> {
    const { path, files } = await this.newest(run);
    const listed: RunFile[] = [];
    for (const file of files) listed.push({ ...file, sha256: await digestOf(join(path, file.name)) });
    return listed;
  }

  async read(run: string, name: string, offset: number, bytes: number): Promise<Uint8Array> {
    const { path, files } = await this.newest(run);
    if (!files.some((file) => file.name === name)) throw new Error(`run ${run} has no ${name} here`);
    const file = await open(join(path, name));
    try {
      const buffer = Buffer.alloc(bytes);
      const { bytesRead } = await file.read(buffer, 0, bytes, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  /** Of several coordinators the last one that came as far as weights. */
  private async newest(run: string): Promise<{ readonly path: string; readonly files: readonly ResultFile[] }> {
    const names = await readdir(this.folder).catch(() => []);
    for (const name of outFoldersOf(run, names)) {
      const path = join(this.folder, name);
      const files = await resultsIn(path);
      if (files.length > 0) return { path, files };
    }
    return { path: this.folder, files: [] };
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}
