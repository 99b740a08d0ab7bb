/** The commands of docs/deploy/, so that the tests run what the pages show. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/core/paths.js';
import { blocksOf, commandsOf } from '../documented.js';

export interface Block {
  readonly page: string;
  /** `test: NAME`, `not run: REASON`, or what else stands before it. */
  readonly note: string;
  readonly commands: readonly string[];
}

/** Every block of shell commands on the pages, with the note before it. */
export function blocks(): readonly Block[] {
  return readdirSync(join(packageRoot, 'docs', 'deploy')).flatMap((page) =>
    blocksOf(`docs/deploy/${page}`)
      .filter(({ language }) => language === 'sh')
      .map((block) => ({ page, note: block.note, commands: commandsOf(block) })),
  );
}

/**
 * The commands under `<!-- test: NAME -->` on a page.
 *
 * @param values - what stands for the words that a reader replaces: `JOB`
 */
export function documented(
  page: string,
  name: string,
  values: Readonly<Record<string, string>> = {},
): readonly string[] {
  const block = blocks().find((b) => b.page === page && b.note === `test: ${name}`);
  if (!block) throw new Error(`docs/deploy/${page} has no block with the note "test: ${name}"`);
  return block.commands.map((command) =>
    Object.entries(values).reduce((text, [word, value]) => text.replaceAll(word, value), command),
  );
}
