/** Files that are either whole or not there, whatever happens while they are written. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { LockstepError } from './errors.js';
import { fault } from './faults.js';

/** Every unfinished file is called so; whoever lists a folder passes over these. */
const unfinishedSuffix = '.unfinished';

export function isUnfinished(fileName: string): boolean {
  return fileName.endsWith(unfinishedSuffix);
}

/**
 * Writes `path`, or replaces it. The content goes to another name in the same folder, reaches the disk, and takes its
 * name in one operation; then the folder reaches the disk. If anything fails, or `chunks` throws, what was at `path`
 * before is still there and nothing is left behind; after a crash an unfinished file may lie beside it.
 *
 * @param chunks - the content in pieces, each written before the next is asked for
 * @param mode - who may read it
 * @throws LockstepError `NOT_WRITABLE`, `DISK_FULL`; and what `chunks` throws
 */
export async function writeFileAtomically(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  mode = 0o666,
): Promise<void> {
  const folder = dirname(path);
  const unfinished = join(folder, `.${basename(path)}.${randomUUID()}${unfinishedSuffix}`);
  const file = await open(unfinished, 'wx', mode).catch((error: unknown) => {
    throw writeFault(path, error);
  });
  try {
    try {
      for await (const chunk of chunks) await writeAll(file, chunk, path);
      await file.sync().catch((error: unknown) => {
        throw writeFault(path, error);
      });
    } finally {
      await file.close();
    }
    await rename(unfinished, path).catch((error: unknown) => {
      throw writeFault(path, error);
    });
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

async function writeAll(file: FileHandle, chunk: Uint8Array, path: string): Promise<void> {
  try {
    for (let offset = 0; offset < chunk.length;) {
      offset += (await file.write(chunk, offset)).bytesWritten; //  a write may be short: disk nearly full, signals
    }
  } catch (error) {
    throw writeFault(path, error);
  }
}

/** Makes the names in a folder survive a power failure. Windows has no such thing, and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The fault behind an error of the file system while `path` was written. */
export function writeFault(path: string, error: unknown): LockstepError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = error instanceof Error ? (error.message.split(',')[0] ?? error.message) : String(error);
  return fault(code === 'ENOSPC' || code === 'EDQUOT' ? 'DISK_FULL' : 'NOT_WRITABLE', { path, reason }, error);
}
