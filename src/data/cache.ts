/**
 * Data sets that this machine was sent, kept on its disk under the SHA-256 of their content.
 *
 * Several processes may use one cache at a time. Entries appear whole, by a rename; whoever reads one verifies it; and an
 * entry that another process evicts is merely missing.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isUnfinished, writeFault, writeFileAtomically } from '../core/atomic-file.js';
import { fault } from './faults.js';
import { sharedBytes } from './idx.js';

export const defaultCacheLimitBytes = 4_294_967_296;
const chunkBytes = 1 << 20;
/** An unfinished file that nobody has written to for so long was left by a process that was killed. */
const abandonedAfterMs = 60 * 60 * 1000;
const entryName = /^[0-9a-f]{64}$/;

export interface CacheOptions {
  /** Default: `defaultCacheFolder()`. Created when it is not there. */
  readonly folder: string;
  /** Bytes that entries may take together. A single larger entry is kept, alone, until the next one comes. */
  readonly limitBytes: number;
  /** Milliseconds since 1970: entries remember when they were last used. */
  readonly wallTimeMs: () => number;
}

/** One content that is kept. */
export interface CacheEntry {
  readonly digest: string;
  readonly bytes: number;
  /** Since 1970. */
  readonly usedMs: number;
}

/** `LOCKSTEP_CACHE_DIR`, or `lockstep` in `XDG_CACHE_HOME`, which is ~/.cache where it is not set. */
export function defaultCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { LOCKSTEP_CACHE_DIR: own, XDG_CACHE_HOME: shared } = environment;
  return own || join(shared || join(homedir(), '.cache'), 'lockstep');
}

export class Cache {
  private constructor(private readonly options: CacheOptions) {}

  /** @throws LockstepError `NOT_WRITABLE` */
  static async open(options: CacheOptions): Promise<Cache> {
    await mkdir(options.folder, { recursive: true }).catch((error: unknown) => {
      throw writeFault(options.folder, error);
    });
    const cache = new Cache(options);
    await cache.removeAbandoned();
    return cache;
  }

  /**
   * The content with this digest, in memory that the engine's thread can share; undefined when it is not here. An entry
   * whose content is no longer what its name says is removed and counts as missing.
   *
   * @param digest - SHA-256, hexadecimal
   */
  async get(digest: string): Promise<Uint8Array<SharedArrayBuffer> | undefined> {
    const path = this.pathOf(digest);
    const content = await readVerified(path, digest);
    if (content === 'missing') return undefined;
    if (content === 'corrupt') {
      await rm(path, { force: true });
      return undefined;
    }
    await this.touch(path);
    return content;
  }

  /**
   * Stores what `chunks` gives, if that is what the digest says, and evicts what was used longest ago where the limit is
   * passed. Never evicts the entry itself.
   *
   * @throws LockstepError `CACHE_CONTENT_MISMATCH`, `NOT_WRITABLE`, `DISK_FULL`; and what `chunks` throws. After any of
   *   them there is no new entry
   */
  async put(digest: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.pathOf(digest);
    await writeFileAtomically(path, verified(digest, chunks));
    await this.touch(path);
    await this.evict(digest);
  }

  /** What is kept, what was used last first. */
  async entries(): Promise<readonly CacheEntry[]> {
    const all = await this.list((name) => entryName.test(name));
    return all.sort((a, b) => b.usedMs - a.usedMs).map(({ name, ...facts }) => ({ digest: name, ...facts }));
  }

  /** Harmless where it is not here: whoever needs it fetches it again. */
  async remove(digest: string): Promise<void> {
    await rm(this.pathOf(digest), { force: true });
  }

  private pathOf(digest: string): string {
    if (!entryName.test(digest)) throw new RangeError(`not a SHA-256: ${digest}`);
    return join(this.options.folder, digest);
  }

  private async touch(path: string): Promise<void> {
    const seconds = this.options.wallTimeMs() / 1000;
    await utimes(path, seconds, seconds).catch(() => undefined); //  evicted by another process, or a cache that we may only read
  }

  private async evict(kept: string): Promise<void> {
    const entries = await this.list((name) => entryName.test(name));
    let totalBytes = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { name, bytes } of entries.sort((a, b) => a.usedMs - b.usedMs)) {
      if (totalBytes <= this.options.limitBytes) return;
      if (name === kept) continue;
      await rm(join(this.options.folder, name), { force: true });
      totalBytes -= bytes;
    }
  }

  private async removeAbandoned(): Promise<void> {
    const nowMs = this.options.wallTimeMs();
    for (const { name, usedMs } of await this.list(isUnfinished)) {
      if (nowMs - usedMs > abandonedAfterMs) await rm(join(this.options.folder, name), { force: true });
    }
  }

  private async list(wanted: (name: string) => boolean) {
    const entries: { name: string; bytes: number; usedMs: number }[] = [];
    for (const name of await readdir(this.options.folder)) {
      if (!wanted(name)) continue;
      const facts = await stat(join(this.options.folder, name)).catch(() => undefined); // gone meanwhile
      if (facts) entries.push({ name, bytes: facts.size, usedMs: facts.mtimeMs });
    }
    return entries;
  }
}

async function* verified(expected: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
    yield chunk;
  }
  const actual = hash.digest('hex');
  if (actual !== expected) throw fault('CACHE_CONTENT_MISMATCH', { expected, actual, bytes });
}

async function readVerified(
  path: string,
  digest: string,
): Promise<Uint8Array<SharedArrayBuffer> | 'missing' | 'corrupt'> {
  const file = await open(path).catch(() => undefined);
  if (!file) return 'missing';
  try {
    const content = sharedBytes((await file.stat()).size);
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const hash = createHash('sha256');
    for (let offset = 0; offset < content.length;) {
      const { bytesRead } = await file.read(chunk, 0, Math.min(chunkBytes, content.length - offset));
      if (bytesRead === 0) return 'corrupt';
      const part = chunk.subarray(0, bytesRead);
      hash.update(part);
      content.set(part, offset);
      offset += bytesRead;
    }
    return hash.digest('hex') === digest ? content : 'corrupt';
  } catch {
    return 'corrupt'; //                                          a disk error: what cannot be read is of no use
  } finally {
    await file.close();
  }
}
