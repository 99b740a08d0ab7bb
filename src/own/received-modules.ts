/** The modules that a machine was sent: `--accept-shipped`. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';

import { sha256 } from '../core/digest.js';
import { packageRoot } from '../core/paths.js';
import type { Blob } from '../core/run-spec.js';
import { fault } from './faults.js';
import { shippedBytesMax, type Shipment } from './shipped-module.js';

export interface ReceivedModulesOptions {
  /** Need not be there. */
  readonly folder: string;
  /** Milliseconds since 1970: modules remember when they were last used. */
  readonly wallTimeMs: () => number;
}

/** A module with what it imports. */
export interface ReceivedModule {
  /** SHA-256 of what was sent. */
  readonly digest: string;
  readonly bytes: number;
  /** Since 1970. */
  readonly usedMs: number;
}

const moduleName = /^[0-9a-f]{64}$/;

/**
 * Each module lies in a folder that is named by its content, and appears and goes whole: several workers of a machine may receive
 * the same one, or use it.
 */
export class ReceivedModules {
  constructor(private readonly options: ReceivedModulesOptions) {}

  /**
   * Writes a module that is sent. What comes is not run here: whether it is the module of the run its digest says.
   *
   * @returns the path of the module
   * @throws LockstepError `SHIPMENT_DAMAGED` if it is not what was announced, or names a file outside of its folder
   */
  async receive(announced: Blob, chunks: AsyncIterable<Uint8Array>): Promise<string> {
    const content = await gathered(announced, chunks);
    const shipment = JSON.parse(content.toString('utf8')) as Shipment;
    const root = resolve(this.options.folder, announced.sha256);
    for (const name of [shipment.module, ...Object.keys(shipment.files)])
      if (!resolve(root, name).startsWith(root + sep))
        throw fault('SHIPMENT_DAMAGED', { reason: `it names the file ${name}` });
    if (!existsSync(root)) await unpack(shipment, root);
    const seconds = this.options.wallTimeMs() / 1000;
    await utimes(root, seconds, seconds).catch(() => undefined); //     removed by another process, or of another user
    return resolve(root, shipment.module);
  }

  /** What is here, what was used last first. */
  async entries(): Promise<readonly ReceivedModule[]> {
    const { folder } = this.options;
    const names = await readdir(folder).catch(() => []); //             nothing was ever sent here
    const found = names.filter((name) => moduleName.test(name)).map((digest) => entryOf(folder, digest));
    const entries = (await Promise.all(found)).filter((entry) => entry !== undefined);
    return entries.sort((a, b) => b.usedMs - a.usedMs);
  }

  /** A worker that is going to start needs it sent again. */
  async remove(digest: string): Promise<void> {
    if (!moduleName.test(digest)) throw new RangeError(`not a SHA-256: ${digest}`);
    const root = join(this.options.folder, digest);
    const going = await mkdtemp(`${root}.`);
    await rename(root, join(going, 'module')).catch(() => undefined); // somebody else was faster
    await rm(going, { recursive: true, force: true });
  }
}

/** @returns undefined if it is gone meanwhile */
async function entryOf(folder: string, digest: string): Promise<ReceivedModule | undefined> {
  try {
    const root = join(folder, digest);
    const { mtimeMs } = await stat(root);
    const paths = await readdir(root, { recursive: true, withFileTypes: true });
    const files = paths.filter((entry) => entry.isFile()).map((file) => join(file.parentPath, file.name));
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    return { digest, bytes: sizes.reduce((sum, size) => sum + size, 0), usedMs: mtimeMs };
  } catch {
    return undefined;
  }
}

async function gathered(announced: Blob, chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > Math.min(announced.bytes, shippedBytesMax)) break;
    parts.push(chunk);
  }
  const content = Buffer.concat(parts);
  const is = sha256(content);
  if (is === announced.sha256) return content;
  const reason = `its SHA-256 is ${is.slice(0, 12)}, expected ${announced.sha256.slice(0, 12)}`;
  throw fault('SHIPMENT_DAMAGED', { reason });
}

async function unpack({ files }: Shipment, root: string): Promise<void> {
  await mkdir(dirname(root), { recursive: true });
  const unfinished = await mkdtemp(`${root}.`);
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(resolve(unfinished, name)), { recursive: true });
      await writeFile(resolve(unfinished, name), text);
    }
    await mkdir(join(unfinished, 'node_modules'), { recursive: true });
    await symlink(packageRoot, join(unfinished, 'node_modules', 'lockstep'), 'junction');
    await rename(unfinished, root).catch((error: unknown) => {
      if (!existsSync(root)) throw error; //                          somebody else was faster
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}
