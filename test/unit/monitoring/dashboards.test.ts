import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { packageRoot } from '../../../src/core/paths.js';
import { coordinatorCatalogue, workerCatalogue, type Description } from '../../../src/metrics/catalogue.js';
import { coordinatorMetrics, Registry } from '../../../src/metrics/index.js';
import { dashboardNames, queriesOf, readAlerts, readDashboard } from '../../monitoring-files.js';

const ours = [...Object.values<Description>(coordinatorCatalogue), ...Object.values<Description>(workerCatalogue)];
const dashboards = dashboardNames.map(readDashboard);
const queries = [...dashboards.flatMap(queriesOf), ...readAlerts().map(({ alert, expr }) => ({ where: alert, expr }))];

/** Series that may be asked for: ours, those of Node, and Prometheus's own `up`. */
async function seriesNames(): Promise<ReadonlySet<string>> {
  const registry = new Registry();
  coordinatorMetrics(registry);
  const exported = [...(await registry.metrics()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
  const histograms = ours.filter(({ type }) => type === 'histogram').map(({ name }) => name);
  const parts = histograms.flatMap((name) => [`${name}_bucket`, `${name}_sum`, `${name}_count`]);
  return new Set(['up', ...exported, ...ours.map(({ name }) => name), ...parts]);
}

/** The names of series in an expression: words with a known beginning. */
const namesIn = (expr: string) => expr.match(/\b(lockstep|process|nodejs)_[a-z0-9_]+|\bup\b/g) ?? [];

describe('dashboards and alerts', () => {
  test('ask for series that exist', async () => {
    const known = await seriesNames();
    const unknown = queries.flatMap(({ where, expr }) =>
      namesIn(expr)
        .filter((name) => !known.has(name))
        .map((name) => `${where}: ${name}`),
    );
    assert.deepEqual(unknown, []);
    for (const { where, expr } of queries) assert.ok(namesIn(expr).length > 0, `${where} asks for nothing`);
  });

  test('use every metric of the catalogue: one that nobody looks at is left out, or shown', () => {
    const used = new Set(
      queries.flatMap(({ expr }) => namesIn(expr).map((name) => name.replace(/_(bucket|sum|count)$/, ''))),
    );
    assert.deepEqual(
      ours.map(({ name }) => name).filter((name) => !used.has(name)),
      [],
    );
  });
});

for (const dashboard of dashboards)
  describe(`dashboard ${dashboard.title}`, () => {
    const { panels } = dashboard;
    test('each panel asks a question, says how to read the answer, and has a unit and a legend', () => {
      for (const { title, description, targets, fieldConfig, type, options } of panels) {
        assert.match(title, /^[A-Z].*\?$/);
        assert.ok(description.length > 20, title);
        assert.ok(fieldConfig.defaults.unit, title);
        for (const { legendFormat } of targets) assert.ok(legendFormat, title);
        if (type === 'timeseries') assert.equal(options.legend?.showLegend, true, title);
      }
      assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
    });

    test('panels lie side by side and on nothing else', () => {
      for (const [i, { title, gridPos: a }] of panels.entries()) {
        assert.ok(a.x >= 0 && a.x + a.w <= 24 && a.w >= 4 && a.h >= 4, title);
        for (const { title: other, gridPos: b } of panels.slice(i + 1)) {
          const isApart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
          assert.ok(isApart, `${title} lies on ${other}`);
        }
      }
    });

    test('a run can be selected, every query heeds it, changes are marked, the others are a click away', () => {
      assert.deepEqual(
        dashboard.templating.list.map(({ name }) => name),
        ['datasource', 'run'],
      );
      for (const { where, expr } of queriesOf(dashboard))
        if (/lockstep_/.test(expr)) assert.match(expr, /run=~"\$run"/, where);
      assert.equal(dashboard.annotations.list.length, 2);
      assert.equal(dashboard.links.length, 1);
    });
  });

describe('alerts', () => {
  test('each has a section in docs/monitoring.md that says what to do', () => {
    const text = readFileSync(join(packageRoot, 'docs', 'monitoring.md'), 'utf8');
    const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title!.toLowerCase().replaceAll(' ', '-'));
    for (const { alert, annotations } of readAlerts()) {
      assert.equal(annotations.runbook, `docs/monitoring.md#${alert.toLowerCase()}`);
      assert.ok(anchors.includes(alert.toLowerCase()), alert);
    }
  });

  for (const words of [
    ['check', 'rules', 'alerts.yml'],
    ['test', 'rules', 'alerts.test.yml'],
    ['check', 'config', 'prometheus.yml'],
  ])
    test(`promtool ${words.join(' ')}`, (t) => promtool(t, words));

  test('each has a test of when it fires', () => {
    const tests = readFileSync(join(packageRoot, 'deploy', 'prometheus', 'alerts.test.yml'), 'utf8');
    for (const { alert } of readAlerts()) {
      assert.match(tests, new RegExp(`alertname: ${alert}\\n\\s+exp_alerts:`), `${alert} fires`);
      assert.match(tests, new RegExp(`alertname: ${alert}\\s*\\}`), `${alert} does not always fire`);
    }
  });
});

function promtool(t: TestContext, words: readonly string[]): void {
  const cwd = join(packageRoot, 'deploy', 'prometheus');
  const { error, status, stdout, stderr } = spawnSync('promtool', words, { cwd, encoding: 'utf8' });
  if (error && !process.env['CI'])
    return t.skip('NOT CHECKED: promtool (Debian: prometheus) is not here; .ci/run installs it');
  assert.equal(status, 0, stdout + stderr);
}
