// @ts-check
/**
 * Writes ../*.json from the metrics catalogue (build lockstep first); with --check only says whether that is what lies
 * there.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { DashboardCursorSync, DashboardLinkType, VariableRefresh } from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import { clusterPanels } from './cluster.mjs';
import { exchangePanels } from './exchange.mjs';
import { datasource, laidOut, run } from './panels.mjs';
import { trainingPanels } from './training.mjs';

/** @type {{ coordinatorCatalogue: Record<string, { name: string }>, workerCatalogue: Record<string, { name: string }> }} */
const catalogue = await import(new URL('../../../dist/src/metrics/catalogue.js', import.meta.url).href);

/** The names of metrics by their keys in the catalogue; asking for one that is not there is an error. */
const namesOf = (/** @type {Record<string, { name: string }>} */ metrics) =>
  new Proxy(/** @type {Record<string, string>} */ ({}), {
    get(_, key) {
      const metric = metrics[String(key)];
      if (!metric) throw new Error(`the catalogue has no metric ${String(key)}`);
      return metric.name;
    },
  });

/** @typedef {{ coordinator: Record<string, string>, worker: Record<string, string> }} Names */
const names = {
  coordinator: namesOf(catalogue.coordinatorCatalogue),
  worker: namesOf(catalogue.workerCatalogue),
};

/** Lines across all charts where something changed. @param {string} name @param {string} expr @param {string} colour */
function annotation(name, expr, colour) {
  return new dashboard.AnnotationQueryBuilder()
    .name(name)
    .datasource(datasource)
    .enable(true)
    .iconColor(colour)
    .titleFormat(name)
    .target(new prometheus.DataqueryBuilder().refId(name).expr(expr).datasource(datasource));
}

/** @param {string} uid @param {string} title @param {string} about @param {import('./panels.mjs').Panel[]} panels */
function dashboardOf(uid, title, about, panels) {
  const builder = new dashboard.DashboardBuilder(`Lockstep: ${title}`)
    .uid(uid)
    .description(about)
    .tags(['lockstep'])
    .timezone('browser')
    .time({ from: 'now-15m', to: 'now' })
    .refresh('10s')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new dashboard.DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(
      new dashboard.QueryVariableBuilder('run')
        .label('Run')
        .datasource(datasource)
        .query(`label_values(${names.coordinator['run']}, run)`)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue('.*')
        .current({ text: 'All', value: '$__all', selected: true }),
    )
    .annotation(annotation('Membership changed', `changes(${names.coordinator['generation']}{${run}}[30s]) > 0`, 'red'))
    .annotation(annotation('Checkpoint', `changes(${names.coordinator['checkpointStep']}{${run}}[30s]) > 0`, 'blue'))
    .link(
      new dashboard.DashboardLinkBuilder('Lockstep')
        .type(DashboardLinkType.Dashboards)
        .tags(['lockstep'])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    );
  for (const panel of laidOut(panels)) builder.withPanel(panel);
  return builder.build();
}

const dashboards = {
  cluster: dashboardOf(
    'lockstep-cluster',
    'cluster',
    'Is it healthy, how fast is it, and who is slow?',
    clusterPanels(names),
  ),
  training: dashboardOf('lockstep-training', 'training', 'Does it learn?', trainingPanels(names)),
  exchange: dashboardOf(
    'lockstep-exchange',
    'exchange',
    'What does it cost to add up gradients?',
    exchangePanels(names),
  ),
};

for (const [name, built] of Object.entries(dashboards)) {
  const target = new URL(`../${name}.json`, import.meta.url);
  const text = `${JSON.stringify(built, null, 2)}\n`;
  if (!process.argv.includes('--check')) writeFileSync(target, text);
  else if (readFileSync(target, 'utf8') !== text) {
    process.stderr.write(
      `error: deploy/grafana/${name}.json is not what the generator writes\nremedy: npm run build there\n`,
    );
    process.exitCode = 1;
  }
}
