import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../core/paths.js';
import type { SweepReport } from './report-form.js';

/** The page as it is built, which finds its numbers in this element. */
const place = '<script type="application/json" id="report">{}</script>';

/** A page in one file: script, style and numbers are in it. */
export async function sweepPage(report: SweepReport): Promise<string> {
  const page = await readFile(join(packageRoot, 'web', 'sweep.html'), 'utf8');
  const numbers = JSON.stringify(report).replaceAll('<', '\\u003c');
  return page.replace(place, () => place.replace('{}', () => numbers));
}
