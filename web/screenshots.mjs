/**
 * Makes the pictures of the live page in docs/images from a real run of three workers on MNIST, one of which is killed on
 * the way: `npm run screenshots` in web/, lockstep built before.
 */

import { join } from 'node:path';
import { chromium } from 'playwright-core';

const { start, workshop } = await import('../dist/test/e2e/lockstep.js');

const images = join(import.meta.dirname, '..', 'docs', 'images');
const steps = 900;
/** Enough that the curves have a form. */
const stepsBefore = 180;
const limitMs = 600_000;
const closing = [];
const place = workshop({ after: (close) => closing.push(close) });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
const programs = [];
const startProgram = (...args) => {
  const program = start([...args, '--metrics-port', '0'], place.folder, {}, [], limitMs);
  programs.push(program);
  return program;
};
try {
  const sizes = ['--workers', '3', '--global-batch', '256', '--steps', `${steps}`, '--eval-every', '100steps'];
  const coordinator = startProgram('coordinator', ...sizes, '--port', '0', '--json', '--out', place.path('run'));
  const [, address, url] = await coordinator.seen(/"coordinator":"([^"]+)".*"page":"([^"]+)"/);
  const workers = [0, 1, 2].map((i) =>
    startProgram('worker', '--coordinator', address, '--name', `worker-${i}`, '--exchange-port', '0'),
  );
  const page = await browser.newPage({ viewport: { width: 1100, height: 880 } });
  await page.goto(url);
  const stepAbove = (least) =>
    page.waitForFunction((step) => Number(document.body.dataset.step) > step, least, { timeout: limitMs });
  await stepAbove(stepsBefore);
  workers[1].child.kill('SIGKILL');
  await page.locator('.lane.gone').waitFor();
  await stepAbove(stepsBefore * 1.5);
  for (const [name, colorScheme, width, height] of [
    ['live-light', 'light', 1100, 880],
    ['live-dark', 'dark', 1100, 880],
    ['live-phone', 'light', 390, 844],
  ]) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    await page.screenshot({ path: join(images, `${name}.png`) });
    console.log(`docs/images/${name}.png`);
  }
} finally {
  await browser.close();
  for (const { child } of programs) child.kill('SIGKILL');
  await Promise.all(programs.map(({ ended }) => ended));
  for (const close of closing) close();
}
