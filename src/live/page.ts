import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../core/paths.js';
import type { Picture } from './picture.js';

/** What `npm run build` in web/ writes: one file, with its script and its style inside. */
const builtPage = join(packageRoot, 'web', 'page.html');
/** Where a picture goes, for a page that is frozen. */
const slot = '<script id="picture" type="application/json"></script>';

/** Before anything that the policy speaks of. */
const head = '<meta charset="utf-8" />';

/** The live page and what a browser may do with it: run this script, use this style, ask this server, nothing else. */
export interface Page {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

export function readPage(): Page {
  const html = readFileSync(builtPage, 'utf8');
  if (!html.includes(slot) || !html.includes(head))
    throw new Error(`${builtPage} has no place for a picture: build it again`);
  return { html, contentSecurityPolicy: policy(html, "'self'") };
}

/** A page that shows one picture for ever, and asks nobody: report.html. */
export function frozenPage({ html }: Page, picture: Picture): string {
  const json = JSON.stringify(picture).replaceAll('<', '\\u003c'); //  no text in it can end the element
  const meta = `<meta http-equiv="content-security-policy" content="${policy(html, "'none'")}">`;
  return html
    .replace(head, (charset) => `${charset}${meta}`)
    .replace(slot, () => slot.replace('></', () => `>${json}</`));
}

/** Scripts and styles are allowed by their content, so that nothing that slips into the page can run. */
function policy(html: string, connect: string): string {
  const hashes = (pattern: RegExp) =>
    [...html.matchAll(pattern)]
      .map(([, text]) => `'sha256-${createHash('sha256').update(text!).digest('base64')}'`)
      .join(' ');
  return [
    "default-src 'none'",
    `script-src ${hashes(/<script type="module"[^>]*>([\s\S]*?)<\/script>/g)}`,
    `style-src ${hashes(/<style[^>]*>([\s\S]*?)<\/style>/g)}`,
    `connect-src ${connect}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    ...(connect === "'none'" ? [] : ["frame-ancestors 'none'"]), //     which a page cannot say of itself
  ].join('; ');
}
