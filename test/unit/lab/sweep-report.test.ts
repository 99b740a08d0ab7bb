import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, it } from 'node:test';
import { packageRoot } from '../../../src/core/paths.js';
import { findingOf } from '../../../src/lab/findings.js';
import { fitSteps, stepsOf } from '../../../src/lab/fit.js';
import { seedChecks } from '../../../src/lab/seed-checks.js';
import { cellsOf, seriesOf } from '../../../src/lab/summary.js';
import { sweepReport, writeSweepReport } from '../../../src/lab/sweep-report.js';
import { tableCsv, tableOf, tableText } from '../../../src/lab/table.js';
import { trialOf } from './trials.js';

const batches = [10, 20, 50, 100, 200, 400];
const targets = [0.8, 0.95];

describe('the fit of steps', () => {
  it('finds what the points were made from, noise included', () => {
    const points = batches.map((batch, i) => ({ batch, steps: 300 * (1 + 80 / batch) * (i % 2 ? 1.02 : 0.98) }));
    const fit = fitSteps(points)!;
    assert.ok(
      Math.abs(fit.stepsMin / 300 - 1) < 0.1 && Math.abs(fit.criticalBatch / 80 - 1) < 0.15,
      JSON.stringify(fit),
    );
    assert.ok(fit.error > 0.01 && fit.error < 0.03);
    assert.ok(Math.abs(stepsOf(fit, 80)! - 600) < 40);
  });

  it('says so where steps fall in proportion, and nothing of two sizes', () => {
    const fit = fitSteps(batches.map((batch) => ({ batch, steps: 10_000 / batch })))!;
    assert.equal(fit.criticalBatch, Infinity);
    assert.equal(stepsOf(fit, 10), undefined);
    assert.equal(
      fitSteps([
        { batch: 1, steps: 5 },
        { batch: 1, steps: 6 },
        { batch: 2, steps: 3 },
      ]),
      undefined,
    );
  });

  it('steps that do not fall at all have no critical batch', () => {
    const fit = fitSteps([1, 2, 4].map((batch) => ({ batch, steps: 100 + batch })))!;
    assert.equal(fit.criticalBatch, 0);
  });
});

describe('cells and series', () => {
  it('seeds make one cell, with mean and deviation; other options make another curve', () => {
    const trials = ['1', '2'].flatMap((seed) =>
      ['0.1', '0.2'].flatMap((lr) =>
        batches.map((batch) =>
          trialOf(batch, { axes: { seed, lr, 'global-batch': String(batch) }, steps: Number(seed) }),
        ),
      ),
    );
    const cells = cellsOf(trials, targets);
    assert.equal(cells.length, 12);
    assert.deepEqual(cells[0]!.iterations, { mean: 1.5, deviation: Math.SQRT1_2 });
    const series = seriesOf(cells);
    assert.deepEqual(
      series.map(({ axes, cells: of }) => [axes, of.map(({ batch }) => batch)]),
      [
        [{ lr: '0.1' }, batches],
        [{ lr: '0.2' }, batches],
      ],
    );
  });

  it('a batch that varies counts by its mean', () => {
    const trial = trialOf(50);
    const evaluations = trial.evaluations.map((each) => ({ ...each, batch: 100 }));
    assert.equal(cellsOf([{ ...trial, evaluations, samples: 100_000, steps: 1250 }], targets)[0]!.batch, 80);
  });

  it('a target counts the trials that reached it', () => {
    const never = trialOf(10, { evaluations: [] });
    const [cell] = cellsOf([trialOf(10), never], [0.9]);
    assert.equal(cell!.targets[0]!.reachedBy, 1);
    assert.match(tableText(tableOf([cell!])), /\(1 of 2\)/);
  });
});

describe('findings', () => {
  const cells = cellsOf(
    batches.map((batch) => trialOf(batch)),
    targets,
  );

  it('recommend by time, by accuracy, and the largest that is useful', () => {
    const finding = findingOf(seriesOf(cells)[0]!);
    assert.equal(finding.target, 0.95);
    assert.equal(finding.accuracyOptimal, 10);
    assert.ok(finding.largestUseful! >= 50 && finding.largestUseful! < 400, String(finding.largestUseful));
    assert.match(finding.words.join(' '), /more workers save little time/);
  });

  it('name no critical batch beyond what was measured', () => {
    const few = cellsOf(
      [10, 20, 40].map((batch) => trialOf(batch)),
      [0.8],
    );
    assert.ok(
      fitSteps(few.map(({ batch, targets }) => ({ batch, steps: targets[0]!.steps!.mean })))!.criticalBatch > 40,
    );
    assert.match(findingOf(seriesOf(few)[0]!).words.at(-1)!, /in proportion to the batch up to 40 .* may help still/);
  });

  it('compare nothing where there is one batch size', () => {
    const { words } = findingOf({ axes: { workers: '2' }, cells: [cells[0]!] });
    assert.match(
      words.join(' '),
      /^With workers 2: Time: a batch of 10 reached 0.95 after \d+ steps. Accuracy: it was best/,
    );
    assert.equal(words.length, 3);
  });

  it('hold or do not hold for the conclusions of the seed experiment', () => {
    const stuck = [1, 2].map((batch) => trialOf(batch, { end: 'hopeless' }));
    const large = trialOf(2000, { evaluations: trialOf(2000).evaluations.slice(0, 2) });
    const { evaluations } = trialOf(5);
    const noisy = trialOf(5, { evaluations: evaluations.map((each) => ({ ...each, accuracy: 0.8 * each.accuracy })) });
    const all = cellsOf([...stuck, noisy, ...batches.map((batch) => trialOf(batch)), large], targets);
    assert.deepEqual(
      seedChecks(all).map(({ holds }) => holds),
      [true, true, true, true, true],
    );
    const learned = cellsOf([trialOf(1), trialOf(2), ...batches.map((batch) => trialOf(batch))], targets);
    assert.deepEqual(
      seedChecks(learned).map(({ holds }) => holds),
      [true, true, false, undefined, false],
    );
  });
});

describe('what a sweep writes', () => {
  it('CSV has a line a cell and quotes commas', () => {
    const trials = batches.map((batch) => trialOf(batch, { axes: { lr: '0.1', 'global-batch': String(batch) } }));
    const [heading, first, ...others] = tableCsv(cellsOf(trials, targets)).trim().split('\n');
    assert.match(heading!, /^axes,batch,trials,steps,steps_sd,.*steps_to_0.95,/);
    assert.match(first!, /^"lr 0.1, global-batch 10",10,1,/);
    assert.equal(others.length, batches.length - 1);
  });

  it('the page is one file with all numbers in it, and no text can become code', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'lockstep-sweep-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const trials = batches.map((batch) => trialOf(batch));
    const command = 'lockstep sweep </script><script>alert(1)</script>';
    const report = sweepReport(trials, { targets, planned: 7, command, preset: 'seed', secondsMax: undefined });
    await writeSweepReport(folder, report);
    const page = readFileSync(join(folder, 'sweep.html'), 'utf8');
    assert.equal(page.match(/<script/g)?.length, 2, 'the numbers and the program');
    const [, json] = /id="report">(.*?)<\/script>/.exec(page) ?? [];
    assert.equal((JSON.parse(json!) as typeof report).command, command);
    for (const name of ['sweep.json', 'sweep.csv', 'sweep.md']) assert.ok(existsSync(join(folder, name)), name);
    assert.match(report.text, /1 of 7 trials are still to be done/);
  });

  it('its page comes from the sources that are here (in web/: npm ci, npm run build)', async () => {
    const { sourcesDigest } = (await import(pathToFileURL(join(packageRoot, 'web', 'sources.mjs')).href)) as {
      sourcesDigest: (page: string) => string;
    };
    const page = readFileSync(join(packageRoot, 'web', 'sweep.html'), 'utf8');
    assert.ok(page.includes(`<meta name="sources" content="${sourcesDigest('sweep')}">`));
  });
});
