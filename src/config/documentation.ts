/** docs/configuration.md, from the schema. `scripts/docs.mjs` writes it and a test checks that it is current. */

import { commands, groups, variableOf, type Command } from './field.js';
import { factsOf, fieldNames, inWords } from './sources.js';
import type { FieldName } from './schema.js';

/** What happens when the option is not given, in words. */
export function defaultInWords(name: FieldName, command?: Command): string {
  const facts = factsOf(name);
  if (facts.required) return 'required';
  const value = (command && facts.defaultOf?.[command]) ?? facts.default;
  if (value === undefined) return facts.otherwise ?? 'none';
  if (facts.placeholder === undefined) return value === true ? 'on' : 'off';
  if (facts.repeatable) return 'none';
  const others = command ? [] : Object.entries(facts.defaultOf ?? {}).map(([c, v]) => `, ${c}: ${inWords(v)}`);
  return `${inWords(value)}${others.join('')}`;
}

const introduction = `# Configuration

<!-- Written by scripts/docs.mjs from src/config/schema.ts: change it there. -->

Every option can be given in three places. The stronger one wins: defaults, then the YAML file of \`--config FILE\` (or
\`LOCKSTEP_CONFIG\`), then \`LOCKSTEP_*\` variables, then flags. Options of the update rule are laid over each other one by
one. Of two options that exclude each other (\`--epochs\` and \`--steps\`, \`--global-batch\` and \`--batch-per-worker\`)
the one from the stronger place is in force; in the same place they are an error. An unknown flag, variable or key is an
error too. A switch can be turned off again with \`--no-\`: \`--no-drop-last\`.

In a YAML file an option goes by its key or by its flag without the dashes. One file can serve the whole
cluster: options of other commands are left alone there, and in variables.

\`\`\`yaml
workers: 3
model: lenet5
optimizer: rmsprop
optimizerOptions: { rho: 0.9, centered: true }
lr: 0.001
global-batch: 256
epochs: 5
\`\`\`

A run leaves its resolved configuration as \`spec.json\`, which is a valid \`--config\` file.
`;

export function configurationPage(): string {
  const sections = groups.map((group) => {
    const rows = fieldNames
      .filter((name) => factsOf(name).group === group)
      .map((name) => {
        const { flag, placeholder, about, commands: owners } = factsOf(name);
        const usage = placeholder === undefined ? `--${flag}` : `--${flag} ${placeholder}`;
        const where = owners.length === commands.length ? 'all' : owners.join(', ');
        const cells = [`\`${usage}\``, about, defaultInWords(name), where, `\`${name}\``, `\`${variableOf(flag)}\``];
        return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
      });
    return `## ${group}\n\n| flag | meaning | default | commands | key | variable |\n|---|---|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `${introduction}\n${sections.join('\n')}`;
}
