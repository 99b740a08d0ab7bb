/**
 * The live page in a real browser, on a real run (build lockstep first): `npm test` in web/. The browser is Debian's
 * chromium, or the one that CHROMIUM names.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const { workshop } = await import('../../dist/test/e2e/lockstep.js');
const { endless, startWatchedRun } = await import('../../dist/test/services/watched-run.js');

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Of a run that is watched from its start to its end. */
const steps = 300;
/** Of the longest wait for something on the page: a loaded machine trains slowly. */
const limitMs = 100_000;

if (!existsSync(executablePath) && !process.env.CI) {
  test('the live page', { skip: `NOT CHECKED: no browser at ${executablePath}; .ci/run installs it` }, () => undefined);
} else {
  describe('the live page', browserTests);
}

function browserTests() {
  const place = workshop({ after });
  const shortPlace = workshop({ after });
  let browser, run, page;
  const runs = [];
  const complaints = [];

  before(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    run = await startWatchedRun(place, endless);
    runs.push(run);
    page = await openPage({ viewport: { width: 1200, height: 900 } });
    await page.goto(run.url);
  });
  after(async () => {
    await browser?.close();
    for (const { coordinator, workers } of runs)
      for (const { child } of [coordinator, ...workers]) child.kill('SIGKILL');
  });

  /** A page of which every complaint counts. */
  async function openPage(options, context = browser) {
    const opened = await context.newPage(options);
    opened.setDefaultTimeout(limitMs);
    opened.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    opened.on('pageerror', (error) => complaints.push(error.message));
    opened.on('request', (request) => {
      const isOurs = ['http://127.0.0.1:', 'file:', 'data:', 'blob:'].some((start) => request.url().startsWith(start));
      if (!isOurs) complaints.push(`a request to ${request.url()}`);
    });
    return opened;
  }

  const textOf = (selector, from = page) => from.locator(selector).innerText();
  const stepAbove = (least, from = page) =>
    from.waitForFunction((step) => Number(document.body.dataset.step) > step, least);

  async function violations(of) {
    await of.evaluate(axe);
    const { violations: found } = await of.evaluate(() => globalThis.axe.run());
    return found
      .filter(({ impact }) => ['serious', 'critical'].includes(impact))
      .map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
  }

  test('moves while the run does, draws curves and lanes', async () => {
    await stepAbove(0);
    const first = Number(await page.evaluate(() => document.body.dataset.step));
    await stepAbove(first);
    assert.match(await textOf('#state'), /Training/);
    assert.equal(await page.locator('.lane').count(), 3);
    assert.equal(await page.locator('canvas').count(), 3);
    assert.ok((await page.locator('.lane rect').count()) > 10);
    assert.match(await textOf('#where-words'), /Workers spend \d+ % computing/);
  });

  test('paints within a second of being asked', async () => {
    const other = await openPage({});
    await other.goto(run.url);
    await stepAbove(0, other);
    const paints = await other.evaluate(() =>
      performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime),
    );
    console.log(`first contentful paint after ${Math.round(paints[0])} ms`);
    assert.equal(paints.length, 1);
    await other.close();
  });

  test('can be read with a keyboard alone, and in words', async () => {
    const chart = page.locator('#loss .chart');
    await chart.focus();
    // Events of the run are said in the same place: a key that came just before one is pressed again.
    let said = '';
    for (let attempt = 0; attempt < 20 && !said.startsWith('Loss by step'); attempt++) {
      await page.keyboard.press('Home');
      said = await textOf('#announce');
    }
    assert.match(said, /Loss by step, step \d+: training/);
    assert.match(await chart.getAttribute('aria-label'), /^Loss by step\. Last: training [\d.]+/);
    const order = [];
    for (let i = 0; i < 4; i++) {
      await page.keyboard.press('Tab');
      order.push(
        await page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.id),
      );
    }
    assert.match(order[0], /^Accuracy/);
    assert.match(order[1], /^Images per second/);
    assert.match(order[2], /^Events/);
  });

  for (const colorScheme of ['light', 'dark'])
    test(`no serious complaint of axe-core, ${colorScheme}`, async () => {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await violations(page), []);
    });

  test('fits on a phone: nothing to scroll sideways', async () => {
    const phone = await openPage({ viewport: { width: 390, height: 844 } });
    await phone.goto(run.url);
    await stepAbove(0, phone);
    assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth), 390);
    await phone.close();
  });

  test('shows a worker that was killed', async () => {
    run.workers[1].child.kill('SIGKILL');
    await page.locator('.lane.gone').waitFor();
    await page.locator('.log .alert').first().waitFor();
    assert.match(await textOf('.log'), /worker-1 is gone/);
    assert.match(await textOf('.lane.gone'), /not here any more/);
  });

  /** The page that followed a run, and the one that the run left. */
  async function assertEndsAsReported(followed, folder, state) {
    const report = JSON.parse(readFileSync(folder('run/report.json'), 'utf8'));
    const frozen = await openPage({});
    await frozen.goto(pathToFileURL(folder('run/report.html')).href);
    for (const shown of [followed, frozen]) {
      assert.match(await textOf('#state', shown), state);
      const rows = Object.fromEntries(
        (await shown.locator('#report tbody tr').allInnerTexts()).map((row) => row.split('\t')),
      );
      for (const name of ['steps', 'testAccuracy', 'imagesPerSecond', 'weightsDigest', 'worldSize', 'finalLoss'])
        assert.equal(rows[name], String(report[name]), name);
      const numbers = await textOf('#numbers', shown);
      assert.ok(numbers.includes(`${(report.testAccuracy * 100).toFixed(2)} %`), numbers);
      assert.ok(numbers.includes(report.imagesPerSecond.toString().replace(/\B(?=(\d{3})+$)/g, ',')), numbers);
      assert.equal(Number(await shown.evaluate(() => document.body.dataset.step)), report.steps);
      assert.equal(await shown.locator('canvas').count(), 3);
    }
    assert.deepEqual(await violations(frozen), []);
    await frozen.close();
    return report;
  }

  test('ends with the numbers of report.json when the run is stopped, and so does the frozen page', async () => {
    run.coordinator.child.kill('SIGTERM');
    await page.waitForFunction(() => document.body.dataset.state === 'finished');
    await run.coordinator.ended;
    const report = await assertEndsAsReported(page, place.path, /Interrupted and saved/);
    assert.equal(report.worldSize, 2);
  });

  test('saves what it shows', async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#export-csv').click()]);
    const csv = readFileSync(await download.path(), 'utf8');
    assert.match(
      csv,
      /^step,loss,accuracy,imagesPerSecond,learningRate,gradientNorm,worldSize,testLoss,testAccuracy\n/,
    );
    const last = await page.evaluate(() => document.body.dataset.step);
    assert.match(csv, new RegExp(`\\n${last},`));
  });

  test('follows a run from before its first step to its end', async () => {
    const other = await openPage({});
    const short = await startWatchedRun(shortPlace, steps, async (url) => {
      await other.goto(url);
      await other.waitForFunction(() => document.body.dataset.state === 'waiting');
    });
    runs.push(short);
    await other.waitForFunction(() => document.body.dataset.state === 'finished');
    await short.coordinator.ended;
    const report = await assertEndsAsReported(other, shortPlace.path, /Finished/);
    assert.deepEqual([report.steps, report.worldSize], [steps, 3]);
    await other.close();
  });

  test('no complaint of the browser in all that time', () => assert.deepEqual(complaints, []));
}
