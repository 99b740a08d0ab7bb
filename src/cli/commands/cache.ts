import { Cache, defaultCacheFolder } from '../../data/cache.js';
import type { CommandContext } from '../context.js';
import { ageMs } from '../ages.js';
import { receivedModulesIn } from '../received-modules.js';
import { megabytes } from '../sizes.js';

export interface CacheOptions {
  readonly cacheDir?: string;
  readonly json?: boolean;
  readonly olderThan?: string;
  readonly dryRun?: boolean;
}

/** Something that was sent to this machine. */
interface Kept {
  readonly kind: 'data' | 'module';
  readonly digest: string;
  readonly bytes: number;
  /** Since 1970. */
  readonly usedMs: number;
  readonly remove: () => Promise<void>;
}

/** `lockstep cache list` */
export async function list({ json = false, cacheDir }: CacheOptions, context: CommandContext): Promise<void> {
  const { kept, folder } = await open(cacheDir, context);
  for (const entry of kept) context.stdout.write(inWords(entry, json));
  if (!json) context.stdout.write(`${total(kept)} in ${folder}\n`);
}

/** `lockstep cache clear`: workers that run have what they need in memory. */
export async function clear(
  { json = false, cacheDir, olderThan = '0', dryRun = false }: CacheOptions,
  context: CommandContext,
): Promise<void> {
  const leastMs = ageMs('--older-than', olderThan);
  const { kept, folder } = await open(cacheDir, context);
  const old = kept.filter(({ usedMs }) => Date.now() - usedMs >= leastMs);
  for (const entry of old) {
    if (!dryRun) await entry.remove();
    context.stdout.write(inWords(entry, json));
  }
  if (!json) context.stdout.write(`${total(old)} ${dryRun ? 'would be' : 'were'} removed from ${folder}\n`);
}

/** What was used last first. */
async function open(
  cacheDir: string | undefined,
  { environment }: CommandContext,
): Promise<{ readonly folder: string; readonly kept: readonly Kept[] }> {
  const folder = cacheDir ?? defaultCacheFolder(environment);
  const stores = {
    data: await Cache.open({ folder, limitBytes: Infinity, wallTimeMs: () => Date.now() }),
    module: receivedModulesIn(folder),
  };
  const kept: Kept[] = [];
  for (const kind of ['data', 'module'] as const)
    for (const entry of await stores[kind].entries())
      kept.push({ kind, ...entry, remove: () => stores[kind].remove(entry.digest) });
  return { folder, kept: kept.sort((a, b) => b.usedMs - a.usedMs) };
}

function inWords({ kind, digest, bytes, usedMs }: Kept, json: boolean): string {
  const used = new Date(usedMs).toISOString();
  if (json) return `${JSON.stringify({ kind, digest, bytes, used })}\n`;
  return `${digest}  ${kind.padEnd(6)}  ${megabytes(bytes).padStart(10)}  used ${used.slice(0, 16).replace('T', ' ')}\n`;
}

function total(kept: readonly Kept[]): string {
  const bytes = kept.reduce((sum, entry) => sum + entry.bytes, 0);
  return `${kept.length} ${kept.length === 1 ? 'entry' : 'entries'}, ${megabytes(bytes)},`;
}
