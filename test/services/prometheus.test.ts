import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { Monitoring } from '../../src/launch/monitoring.js';
import { workshop } from '../e2e/lockstep.js';
import { dashboardNames, queriesOf, readAlerts, readDashboard } from '../monitoring-files.js';
import { endless, startWatchedRun, until } from './watched-run.js';

/** Of a wait for something that another program does; far above what any of them takes on a loaded machine. */
const limitMs = 180_000;

interface Rule {
  readonly name: string;
  readonly health: string;
  readonly state: string;
  readonly lastError?: string;
}

/** Our configuration as it is, at a pace for which a test can wait. */
const faster = (text: string): string =>
  text
    .replace(/(scrape|evaluation)_interval: 5s/g, '$1_interval: 1s')
    .replace('refresh_interval: 5s', 'refresh_interval: 1s')
    .replace(/for: \d+m/g, 'for: 1s');

test('a real Prometheus and Alertmanager on a real run: every query answers, a killed worker is an alert', async (t) => {
  const place = workshop({ after });
  const run = await startWatchedRun(place, endless);
  const monitoring = new Monitoring({ coordinatorUrl: run.url, port: 0, clock: systemClock, adapt: faster });
  t.after(async () => {
    for (const { child } of [run.coordinator, ...run.workers]) child.kill('SIGKILL');
    await monitoring.stop();
  });
  const started = await monitoring.start();
  const at = (program: string, path: string) => new URL(path, started.get(program)).href;
  const get = async (program: string, path: string) =>
    (await (await fetch(at(program, path))).json()) as { data: unknown };
  const query = async (expr: string): Promise<readonly unknown[]> => {
    const path = `/api/v1/query?query=${encodeURIComponent(expr)}`;
    const { data, ...rest } = await get('Prometheus', path);
    assert.ok(data, `${expr}: ${JSON.stringify(rest)}`);
    return (data as { result: readonly unknown[] }).result;
  };

  await until('four processes are scraped', limitMs, async () =>
    (await query('up{job=~"lockstep-.*"} == 1')).length === 4 ? true : undefined,
  );
  await until('steps are counted', limitMs, async () =>
    (await query('rate(lockstep_steps_total[10s]) > 0')).length === 1 ? true : undefined,
  );

  run.workers[1]!.child.kill('SIGKILL');
  await until('the worker is no member any more', limitMs, async () =>
    (await query('lockstep_member_up{worker="worker-1"} == 0')).length === 1 ? true : undefined,
  );
  const alert = await until('Alertmanager knows of the lost worker', limitMs, async () => {
    const response = await fetch(at('Alertmanager', '/api/v2/alerts'));
    const alerts = (await response.json()) as { labels: Record<string, string>; annotations: Record<string, string> }[];
    return alerts.find(({ labels }) => labels['alertname'] === 'LockstepWorkerLost');
  });
  assert.match(alert.annotations['summary']!, /goes on with 2 workers/);
  await until('a rate of what was lost', limitMs, async () =>
    (await query('increase(lockstep_workers_lost_total[5m])')).length > 0 ? true : undefined,
  );

  const silent: string[] = [];
  for (const name of dashboardNames)
    for (const { where, expr } of queriesOf(readDashboard(name))) {
      const asked = expr.replaceAll('$__rate_interval', '20s').replaceAll('$run', '.*');
      const isMark = where.startsWith('annotation'); //              answers only where something changed just now
      const answers = await query(isMark ? asked.replace(/ > 0$/, '') : asked);
      if (answers.length === 0) silent.push(`${name}, ${where}: ${asked}`);
    }
  assert.deepEqual(silent, [], 'queries without an answer');

  const { groups } = (await get('Prometheus', '/api/v1/rules')).data as {
    groups: readonly { rules: readonly Rule[] }[];
  };
  const rules = new Map(groups.flatMap(({ rules: all }) => all).map((rule) => [rule.name, rule]));
  for (const { alert: name, expr } of readAlerts()) {
    const rule = rules.get(name);
    assert.deepEqual([rule?.health, rule?.lastError], ['ok', undefined], name);
    for (const series of new Set(expr.match(/\b(lockstep_[a-z_]+|up(?=\{))(\{[^}]*\})?/g)))
      assert.ok((await query(series)).length > 0, `${name} looks at ${series}, which has no answer`);
  }
  assert.equal(rules.get('LockstepWorkerLost')?.state, 'firing');
  for (const name of [
    'LockstepNoProgress',
    'LockstepLossNotFinite',
    'LockstepCheckpointOld',
    'LockstepCheckpointFailed',
  ])
    assert.equal(rules.get(name)?.state, 'inactive', name);

  run.coordinator.child.kill('SIGKILL');
  await until('the absent coordinator is an alert', limitMs, async () => {
    const { data } = await get('Prometheus', '/api/v1/alerts');
    const { alerts } = data as { alerts: readonly { labels: Record<string, string>; state: string }[] };
    return alerts.find(
      ({ labels, state }) => labels['alertname'] === 'LockstepCoordinatorAbsent' && state === 'firing',
    );
  });
});
