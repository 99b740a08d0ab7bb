/** The page of a sweep in a real browser, made from trials that nobody trained (build lockstep first). */

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const { sweepReport, writeSweepReport } = await import('../../dist/src/lab/sweep-report.js');
const { trialOf } = await import('../../dist/test/unit/lab/trials.js');

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const skip =
  !existsSync(executablePath) && !process.env.CI && `NOT CHECKED: no browser at ${executablePath}; .ci/run installs it`;

test('the page of a sweep draws its curves, shows its table, and asks nobody', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-sweep-page-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const trials = ['0.1', '0.2'].flatMap((lr) =>
    [10, 50, 200, 1000].map((batch) => trialOf(batch, { axes: { lr, 'global-batch': String(batch) } })),
  );
  const options = {
    targets: [0.8, 0.95],
    planned: 8,
    command: 'lockstep sweep',
    preset: 'seed',
    secondsMax: undefined,
  };
  await writeSweepReport(folder, sweepReport(trials, options));

  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  t.after(() => browser.close());
  const complaints = [];
  const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) complaints.push(request.url());
  });
  await page.goto(pathToFileURL(join(folder, 'sweep.html')).href);

  const drawn = await page.$$eval('main figure[id]', (figures) =>
    figures.map((figure) => [figure.id, figure.querySelectorAll('svg circle, svg path').length > 8]),
  );
  assert.deepEqual(
    drawn,
    ['steps', 'time', 'speed', 'accuracy', 'learning'].map((id) => [id, true]),
  );
  assert.equal(await page.locator('tbody tr').count(), 8);
  assert.match(await page.locator('#words').innerText(), /With lr 0.2:[\s\S]*more workers save little time/);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 1100, `the page is ${width} px wide`);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  assert.deepEqual(
    serious.map(({ id, nodes }) => `${id}: ${nodes[0].html}`),
    [],
  );
  assert.deepEqual(complaints, []);
});
