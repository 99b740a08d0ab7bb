import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../core/paths.js';
import type { SweepReport } from './report-form.js';

/** Where the page, which `npm run build` in web/ writes, has room for its numbers. */
const slot = '<script type="application/json" id="report"></script>';

/** A page in one file: script, style and numbers are in it. */
export async function sweepPage(report: SweepReport): Promise<string> {
  const path = join(packageRoot, 'web', 'sweep.html');
  const page = await readFile(path, 'utf8');
  if (!page.includes(slot)) throw new Error(`${path} has no place for a report: build it again`);
  const numbers = JSON.stringify(report).replaceAll('<', '\\u003c'); //  no text in it can end the element
  return page.replace(slot, () => slot.replace('></', () => `>${numbers}</`));
}
