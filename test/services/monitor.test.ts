import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, test } from 'node:test';
import { processesWith, start, workshop } from '../e2e/lockstep.js';
import { endless, startWatchedRun, until } from './watched-run.js';

test('`lockstep monitor` watches a run with a real Prometheus until Ctrl-C, and leaves nothing', async (t) => {
  const place = workshop({ after });
  const run = await startWatchedRun(place, endless);
  t.after(() => {
    for (const { child } of [run.coordinator, ...run.workers]) child.kill('SIGKILL');
  });
  const monitor = start(['monitor', run.url, '--port', '0'], place.folder, { TMPDIR: place.folder });
  t.after(() => monitor.child.kill('SIGKILL'));
  const [, alertmanager] = await monitor.seen(/^Alertmanager\s+(http\S+)$/m);
  const [, prometheus] = await monitor.seen(/^Prometheus\s+(http\S+)$/m);
  await until('Prometheus has found the coordinator and three workers', 180_000, async () => {
    const query = encodeURIComponent('up{job=~"lockstep-.*"} == 1');
    const answer = (await (await fetch(`${prometheus!}/api/v1/query?query=${query}`)).json()) as {
      data: { result: readonly unknown[] };
    };
    return answer.data.result.length === 4 ? true : undefined;
  });
  const { data } = (await (await fetch(`${prometheus!}/api/v1/alertmanagers`)).json()) as {
    data: { activeAlertmanagers: readonly { url: string }[] };
  };
  assert.deepEqual(
    data.activeAlertmanagers.map(({ url }) => new URL(url).origin),
    [alertmanager],
  );
  monitor.child.kill('SIGINT');
  const { code, stderr } = await monitor.ended;
  assert.ok(code === 0 || code === 130, `${code}: ${stderr}`);
  const left = processesWith(
    place.folder,
    readdirSync('/proc').filter((name) => /^\d+$/.test(name)),
  );
  const ours = [run.coordinator, ...run.workers].map(({ child }) => String(child.pid));
  assert.deepEqual(
    left.filter((pid) => !ours.includes(pid)),
    [],
  );
  assert.deepEqual(
    readdirSync(place.folder).filter((name) => name.startsWith('lockstep-monitor')),
    [],
  );
});
