/** All faults of all rooms, for `lockstep help errors` and docs/errors.md. */

import { existsSync, readdirSync } from 'node:fs';
import type { ExitCode, FaultKind, FaultTable } from '../core/errors.js';

export interface CatalogueEntry {
  readonly room: string;
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly meaning: string;
  readonly remedy: string;
}

/**
 * Reads the table that each `src/<room>/faults.ts` exports as `<room>Faults`. By folder, not by a list of imports: a room
 * that declares faults is in the catalogue, and nobody can forget to add it.
 */
export async function errorCatalogue(): Promise<CatalogueEntry[]> {
  const sources = new URL('../', import.meta.url);
  const rooms = readdirSync(sources, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/faults.js`, sources)))
    .map((entry) => entry.name)
    .sort();
  const tables = await Promise.all(
    rooms.map(async (room) => {
      const module = (await import(new URL(`${room}/faults.js`, sources).href)) as Record<
        string,
        FaultTable | undefined
      >;
      return Object.entries(module[`${room}Faults`] ?? {}).map(
        ([code, { exitCode, meaning, remedy }]: [string, FaultKind<never>]) => ({
          room,
          code,
          exitCode,
          meaning,
          remedy,
        }),
      );
    }),
  );
  return tables.flat();
}

const exitCodes = `Exit codes: 0 done, 1 failure, 2 usage, 3 cluster lost (a retry helps), 130 interrupted and saved.`;

/** The text of `lockstep help CODE`. */
export function entryText({ code, exitCode, meaning, remedy }: CatalogueEntry): string {
  return `${code} (exit ${exitCode})\n  ${meaning}\n  Remedy: ${remedy}.\n`;
}

/** The text of `lockstep help errors`. */
export function catalogueText(entries: readonly CatalogueEntry[]): string {
  const blocks = entries.map(entryText);
  return `Each error is one line on stderr with its code in brackets, then the remedy. ${exitCodes}\n\n${blocks.join('\n')}`;
}

/** docs/errors.md. `scripts/docs.mjs` writes it and a test checks that it is current. */
export function errorsPage(entries: readonly CatalogueEntry[]): string {
  const byCode = [...entries].sort((a, b) => (a.code < b.code ? -1 : 1));
  const sections = byCode.map(
    ({ room, code, exitCode, meaning, remedy }) =>
      `## ${code}\n\n${meaning}\n\nRemedy: ${remedy}.\n\nExit code ${exitCode}; declared in \`src/${room}/faults.ts\`.\n`,
  );
  return `# Errors

<!-- Written by scripts/docs.mjs from the tables of faults in src/: change it there. -->

An error is one line on stderr, which names the value and has its code in brackets, then a line with the remedy. With
\`--json\` it is an object with \`code\`, \`message\` and \`remedy\`; a program gets a \`LockstepError\` with the same. The same list
in the terminal: \`lockstep help errors\`, and one of them: \`lockstep help PORT_IN_USE\`.

${exitCodes}

${sections.join('\n')}`;
}
