import { spawnSync } from 'node:child_process';

/**
 * How the tests of this folder treat what is not there: a user hears loudly that something was skipped, in CI it is a
 * failure, since there it would be skipped for ever.
 *
 * @param missing - what is missing, in words; undefined if nothing is
 * @returns options of a test or suite
 */
export function needs(missing: string | undefined): { readonly skip: string | false } {
  if (missing === undefined) return { skip: false };
  if (process.env['CI'] === 'true') throw new Error(`in CI nothing is skipped: ${missing}`);
  process.stderr.write(`\nNOT TESTED HERE: ${missing}\n\n`);
  return { skip: missing };
}

/**
 * @param tools - programs, each with where it comes from
 * @returns what is not installed, in words; undefined if nothing is missing
 */
export function missingTools(tools: Readonly<Record<string, string>>): string | undefined {
  const missing = Object.entries(tools).filter(([tool]) => spawnSync('which', [tool]).status !== 0);
  return missing.length === 0
    ? undefined
    : `${missing.map(([tool, origin]) => `${tool} (${origin})`).join(', ')} not installed`;
}
