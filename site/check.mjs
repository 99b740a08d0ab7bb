/** Looks at the built pages, as a browser would get them: every link, picture, script and style must be there. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

const attribute = /\s(?:href|src)="([^"]*)"/g;
const anchor = /\sid="([^"]*)"/g;

/** @returns a line for each that leads nowhere, and for each page to which no other leads */
export function deadLinks(folder) {
  const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.html'));
  const texts = new Map(pages.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
  const anchors = new Map([...texts].map(([path, text]) => [path, matches(text, anchor)]));
  const reached = new Set(['index.html', '404.html']);
  const complaints = [];
  for (const [path, text] of texts) {
    for (const link of matches(text, attribute)) {
      if (/^([a-z]+:|\/\/)/.test(link)) continue; // elsewhere
      const [way, hash = ''] = link.replaceAll('&amp;', '&').split('#');
      const target = way === '' ? path : fileOf(folder, posix.join(posix.dirname(path), decodeURI(way)), way);
      if (target === undefined) complaints.push(`${path}: ${link} leads nowhere`);
      else if (hash !== '' && texts.has(target) && !anchors.get(target).has(decodeURIComponent(hash)))
        complaints.push(`${path}: ${target} has no #${hash}`);
      if (target !== undefined && target !== path) reached.add(target);
    }
  }
  complaints.push(...pages.filter((path) => !reached.has(path)).map((path) => `${path}: no page leads to it`));
  return complaints;
}

function matches(text, pattern) {
  return new Set([...text.matchAll(pattern)].map((match) => match[1]));
}

/** The file that a server gives for a path: /a is a.html, /a/ is a/index.html. */
function fileOf(folder, relative, way) {
  const path = (way.startsWith('/') ? way.slice(1) : relative).replace(/^\.\//, '');
  const candidates = path === '' || path.endsWith('/') ? [`${path}index.html`] : [path, `${path}.html`];
  return candidates.find((file) => existsSync(join(folder, file)) && statSync(join(folder, file)).isFile());
}
