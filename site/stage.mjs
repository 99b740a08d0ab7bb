/** Lays the documents out as the site wants them, in site/dist/content. */

import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { forSite } from './links.mjs';
import { places, wide } from './pages.mjs';

const root = join(import.meta.dirname, '..');
export const content = join(import.meta.dirname, 'dist', 'content');

function kindOf(path) {
  const stats = statSync(join(root, path), { throwIfNoEntry: false });
  return stats && (stats.isDirectory() ? 'folder' : 'file');
}

function write(place, bytes) {
  mkdirSync(dirname(join(content, place)), { recursive: true });
  writeFileSync(join(content, place), bytes);
}

/** @returns complaints: links that lead nowhere, documents that are on no page */
export function stage() {
  const complaints = [];
  cpSync(join(import.meta.dirname, 'public'), join(content, 'public'), { recursive: true });
  write('index.md', readFileSync(join(import.meta.dirname, 'start.md')));
  for (const [source, place] of places) {
    if (!source.endsWith('.md')) continue; // made from docstrings
    const turned = forSite(readFileSync(join(root, source), 'utf8'), source, places, kindOf);
    complaints.push(...turned.complaints);
    write(place, wide.has(place) ? `---\npageType: doc-wide\noutline: false\n---\n\n${turned.text}` : turned.text);
    for (const [from, to] of turned.files) {
      mkdirSync(dirname(join(content, to)), { recursive: true });
      copyFileSync(join(root, from), join(content, to));
    }
  }
  for (const file of readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }))
    if (file.endsWith('.md') && !places.has(`docs/${file}`)) complaints.push(`docs/${file} is no page: site/pages.mjs`);
  return complaints;
}
