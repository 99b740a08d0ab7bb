import { Cache, defaultCacheFolder, type CacheEntry } from '../../data/cache.js';
import type { CommandContext } from '../context.js';
import { ageMs } from '../ages.js';
import { megabytes } from '../sizes.js';

export interface CacheOptions {
  readonly cacheDir?: string;
  readonly json?: boolean;
  readonly olderThan?: string;
  readonly dryRun?: boolean;
}

/** `lockstep cache list` */
export async function list({ json = false, cacheDir }: CacheOptions, context: CommandContext): Promise<void> {
  const { cache, folder } = await open(cacheDir, context);
  const entries = await cache.entries();
  for (const entry of entries) context.stdout.write(inWords(entry, json));
  if (!json) context.stdout.write(`${total(entries)} in ${folder}\n`);
}

/** `lockstep cache clear`: workers that run have what they need in memory. */
export async function clear(
  { json = false, cacheDir, olderThan = '0', dryRun = false }: CacheOptions,
  context: CommandContext,
): Promise<void> {
  const leastMs = ageMs('--older-than', olderThan);
  const { cache, folder } = await open(cacheDir, context);
  const old = (await cache.entries()).filter(({ usedMs }) => Date.now() - usedMs >= leastMs);
  for (const entry of old) {
    if (!dryRun) await cache.remove(entry.digest);
    context.stdout.write(inWords(entry, json));
  }
  if (!json) context.stdout.write(`${total(old)} ${dryRun ? 'would be' : 'were'} removed from ${folder}\n`);
}

async function open(cacheDir: string | undefined, { environment }: CommandContext) {
  const folder = cacheDir ?? defaultCacheFolder(environment);
  return { folder, cache: await Cache.open({ folder, limitBytes: Infinity, wallTimeMs: () => Date.now() }) };
}

function inWords(entry: CacheEntry, json: boolean): string {
  const used = new Date(entry.usedMs).toISOString();
  if (json) return `${JSON.stringify({ digest: entry.digest, bytes: entry.bytes, used })}\n`;
  return `${entry.digest}  ${megabytes(entry.bytes).padStart(10)}  used ${used.slice(0, 16).replace('T', ' ')}\n`;
}

function total(entries: readonly CacheEntry[]): string {
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  return `${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}, ${megabytes(bytes)},`;
}
