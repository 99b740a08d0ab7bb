/** What a page is built from, as a hash: it is in the page, so that a test can see without a build whether it is current. */

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';

/** Pages, the folder of each with its entry, and what they take from the project's sources. */
export const pages = {
  page: { entry: 'index.html', folder: 'src/', shared: ['../src/live/explain.ts'] },
  sweep: {
    entry: 'sweep/index.html',
    folder: 'sweep/',
    shared: ['../src/lab/table.ts', '../src/lab/summary.ts', '../src/lab/fit.ts'],
  },
};

export function sourcesDigest(name = 'page') {
  const { entry, folder, shared } = pages[name];
  const hash = createHash('sha256');
  const sources = readdirSync(new URL(folder, import.meta.url)).sort();
  const files = ['build.mjs', entry, 'package-lock.json', ...shared, ...sources.map((file) => folder + file)];
  for (const file of files)
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(new URL(file, import.meta.url)))
      .update('\0');
  return hash.digest('hex');
}
