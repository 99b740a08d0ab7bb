/** The blocks of commands in the documents, so that tests run what the pages show. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/core/paths.js';

export interface Block {
  /** From the project's root: `docs/launch.md`. */
  readonly page: string;
  /** `test: NAME`, `not run: REASON`, or what else stands in the comment before it. */
  readonly note: string;
  /** Of the fence: `sh`, `js`, or nothing. */
  readonly language: string;
  readonly text: string;
}

/** Every block between fences on a page, those in lists too. */
export function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(packageRoot, page), 'utf8');
  return [...text.matchAll(/^( *)(?:<!-- ([^\n]*) -->\n\n\1)?```(\w*)\n([^]*?)^\1```/gm)].map(
    ([, indentation = '', note = '', language = '', inside = '']) => ({
      page,
      note,
      language,
      text: indentation === '' ? inside : inside.replaceAll(new RegExp(`^${indentation}`, 'gm'), ''),
    }),
  );
}

/** Lines that end in a backslash together with what follows, without comments. */
export function commandsOf(block: Pick<Block, 'text'>): readonly string[] {
  return block.text
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(^|\s+)#.*$/, ''))
    .filter((line) => line !== '');
}

/** The block under `<!-- test: NAME -->`. */
export function documentedBlock(page: string, name: string): Block {
  const block = blocksOf(page).find(({ note }) => note === `test: ${name}`);
  if (!block) throw new Error(`${page} has no block with the note "test: ${name}"`);
  return block;
}
