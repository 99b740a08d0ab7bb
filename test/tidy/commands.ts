/** Commands in documents: each flag that they show must exist. */

import { furtherFlags } from '../../src/cli/further.js';
import { commands } from '../../src/config/field.js';
import { factsOf, fieldNames, hasField } from '../../src/config/sources.js';
import type { Files } from './files.js';

const benchFlags = ['--workers', '--floats', '--topology', '--rounds', '--checksum', '--hosts', '--rank', '--json'];
const general = ['--help', '--version', '--config'];

function flagsOf(command: string): string[] {
  const further = furtherFlags[command];
  if (command === 'launch') return [...further!, ...flagsOf('coordinator')];
  if (further) return [...further, ...general];
  if (command === 'engines') return ['--json', '--explain', '--gpu', '--from', ...general];
  if (command === 'bench') return [...benchFlags, ...general];
  const known = commands.find((c) => c === command);
  if (known === undefined) return general;
  const flags = fieldNames
    .filter((name) => hasField(known, name))
    .flatMap((name) => [`--${factsOf(name).flag}`, `--no-${factsOf(name).flag}`]);
  return [...flags, ...general];
}

/** Looks at code, in blocks and in lines, for `lockstep COMMAND --flag` and `npm start -- --flag`. */
export function commandComplaints(documents: Files): string[] {
  return [...documents].flatMap(([path, text]) =>
    codeOf(text).flatMap((line) => {
      const [, command = 'train', rest = ''] =
        /\blockstep (\w+)(.*)/.exec(line) ?? /\bnpm start -- ()?(.*)/.exec(line) ?? [];
      if (rest === '' && command === 'train') return [];
      if (![...commands, ...Object.keys(furtherFlags), 'engines', 'bench', 'help'].some((c) => c === command))
        return [`${path}: lockstep has no command ${command}`];
      const unknown = [...rest.matchAll(/(?<=\s|^)--[a-z][\w-]*/g)]
        .map(([flag]) => flag)
        .filter((flag) => !flagsOf(command).includes(flag));
      return unknown.map((flag) => `${path}: lockstep ${command} has no flag ${flag}`);
    }),
  );
}

/** Lines of code blocks, a line that ends in a backslash with the next one, and code inside of sentences. */
function codeOf(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/```[^\n]*\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  const inline = [...markdown.replace(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
  return [...blocks.flatMap((block) => block.replace(/\\\n\s*/g, ' ').split('\n')), ...inline];
}

/** `npm run NAME` in documents and checks. */
export function scriptComplaints(texts: Files, scripts: readonly string[]): string[] {
  return [...texts].flatMap(([path, text]) =>
    [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((name) => !scripts.includes(name))
      .map((name) => `${path}: package.json has no script ${name}`),
  );
}
