/** Rules about the text of files. */

import type { Files } from './files.js';

/** Past this, look for the second idea that hides in the file. */
const linesMax = 400;

export function lengthComplaints(files: Files): string[] {
  return [...files]
    .filter(([path]) => /^(src|test|scripts|bench|bin)\/.*\.(ts|mjs|js|c|h)$/.test(path))
    .map(([path, text]) => [path, text.split('\n').length - 1] as const)
    .filter(([, lines]) => lines > linesMax)
    .map(([path, lines]) => `${path} has ${lines} lines, more than ${linesMax}`);
}

// Put together from parts, so that this file does not find itself.
const unfinished = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`);

export function unfinishedComplaints(files: Files): string[] {
  return linesWith(files, unfinished, (word) => `${word}: finish it, or say it in the issue`);
}

const machinePath = new RegExp(
  `(^|[\\s'"\`(=:])(/(${['work', 'root', 'home', 'Users', 'tmp'].join('|')})/[\\w.-]+|[A-Z]:\\\\Users)|\\.\\./${'shared'}\\b`,
);
const registryHost = new RegExp(
  ['registry\\.[\\w-]+\\.\\w+', 'npm' + 'js\\.', 'pypi' + '\\.', 'files\\.python' + 'hosted', 'crates' + '\\.io'].join(
    '|',
  ),
);

/** Nothing that is true on one machine only, and no host of a package registry. */
export function placeComplaints(files: Files): string[] {
  return [
    ...linesWith(files, machinePath, (path) => `a path of one machine: ${path.trim()}`),
    ...linesWith(files, registryHost, (host) => `the host of a package registry: ${host}`),
  ];
}

function linesWith(files: Files, pattern: RegExp, complain: (found: string) => string): string[] {
  return [...files].flatMap(([path, text]) =>
    text.split('\n').flatMap((line, i) => {
      const found = pattern.exec(line)?.[0];
      return found === undefined ? [] : [`${path}:${i + 1}: ${complain(found)}`];
    }),
  );
}
