/**
 * Pictures of the figures of a sweep's page, for documents: `node sweep-pictures.mjs sweep/sweep.html ../docs/images/seed steps learning`
 * writes ../docs/images/seed-steps.png and seed-learning.png. The browser is Debian's chromium, or the one that CHROMIUM names.
 */

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [page, prefix, ...figures] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
try {
  const opened = await browser.newPage({ viewport: { width: 1100, height: 900 } });
  await opened.goto(pathToFileURL(resolve(page)).href);
  for (const figure of figures) {
    const path = `${prefix}-${figure}.png`;
    await opened.locator(`figure#${figure}`).screenshot({ path });
    console.log(path);
  }
} finally {
  await browser.close();
}
