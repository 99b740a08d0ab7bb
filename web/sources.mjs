/** What the page is built from, as a hash: it is in the page, so that a test can see without a build whether it is current. */

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';

export function sourcesDigest() {
  const hash = createHash('sha256');
  const sources = readdirSync(new URL('src/', import.meta.url)).sort();
  const shared = '../src/live/explain.ts';
  for (const name of ['build.mjs', 'index.html', 'package-lock.json', shared, ...sources.map((file) => `src/${file}`)])
    hash
      .update(name)
      .update('\0')
      .update(readFileSync(new URL(name, import.meta.url)))
      .update('\0');
  return hash.digest('hex');
}
