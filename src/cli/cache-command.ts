/** `lockstep cache`: what lockstep keeps on this machine, and room for other things. */

import type { Command as Commander } from 'commander';
import type { CacheOptions } from './commands/cache.js';
import type { CommandContext } from './context.js';

/** For what checks that documents show nothing else. */
export const cacheFlags: Readonly<Record<string, readonly string[]>> = {
  cache: ['--cache-dir', '--json', '--older-than', '--dry-run'],
};

export function addCacheCommand(program: Commander, context: CommandContext): void {
  const cache = program
    .command('cache')
    .copyInheritedSettings(program)
    .summary('show or free the disk that data and modules of other machines take here')
    .description(
      'Data and modules of runs that workers were sent, kept under the SHA-256 of their content: a worker that needs them again fetches them again.',
    )
    .helpCommand(false)
    .helpOption('-h, --help', 'print this text');
  const add = (name: string, summary: string) =>
    cache
      .command(name)
      .copyInheritedSettings(program)
      .summary(summary)
      .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
      .allowExcessArguments(false)
      .option('--cache-dir <DIR>', 'folder of the cache; by default LOCKSTEP_CACHE_DIR or ~/.cache/lockstep')
      .option('--json', 'print one JSON object a line')
      .helpOption('-h, --help', 'print this text');
  const module = () => import('./commands/cache.js');
  add('list', 'list what is kept, what was used last first').action(async (options: CacheOptions) =>
    (await module()).list(options, context),
  );
  add('clear', 'remove what is kept')
    .option('--older-than <AGE>', 'only what was not used for so long: 7d, 12h, 30m', '0d')
    .option('--dry-run', 'only say what would go')
    .action(async (options: CacheOptions) => (await module()).clear(options, context));
}
