import { readFileSync } from 'node:fs';

/** The last error that a program wrote into its log, or else its last line. */
export function lastWords(path: string): string {
  try {
    const lines = readFileSync(path, 'utf8').trim().split('\n').slice(-20);
    return lines.findLast((line) => line.startsWith('error: '))?.slice(7) ?? lines.at(-1) ?? '';
  } catch {
    return 'it said nothing';
  }
}
