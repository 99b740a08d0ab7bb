import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, test } from 'node:test';
import { processesWith, start, workshop } from '../e2e/lockstep.js';
import { endless, startWatchedRun, until } from './watched-run.js';

/** How many programs of runs Prometheus reads at the moment. */
async function programsSeen(prometheus: string): Promise<number> {
  const query = encodeURIComponent('up{job=~"lockstep-.*"} == 1');
  const answer = (await (await fetch(`${prometheus}/api/v1/query?query=${query}`)).json()) as {
    data: { result: readonly unknown[] };
  };
  return answer.data.result.length;
}

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
    return (await programsSeen(prometheus!)) === 4 ? true : undefined;
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

test('it watches a run beyond loopback with TLS, by the token in its address and the authority of the run', async (t) => {
  const place = workshop({ after });
  const everywhere = ['--listen', '0.0.0.0', '--metrics-port', '0'];
  const spec = [
    '--dataset',
    place.smallDataset(),
    '--workers',
    '2',
    '--port',
    '0',
    '--json',
    '--out',
    place.path('run'),
  ];
  const leader = start(['coordinator', ...everywhere, ...spec], place.folder);
  t.after(() => leader.child.kill('SIGKILL'));
  const [, address, url, token] = await leader.seen(
    /"coordinator":"0\.0\.0\.0:(\d+)".*"page":"(https:[^"]+)".*--token ([^" ]+)/,
  );
  const page = new URL(url!);
  page.hostname = '127.0.0.1';
  const where = ['--coordinator', `127.0.0.1:${address}`, '--advertise', '127.0.0.1', '--exchange-port', '0'];
  const worker = start(['worker', ...everywhere, ...where, '--name', 'anna', '--token', token!], place.folder);
  t.after(() => worker.child.kill('SIGKILL'));
  const trust = ['--ca', place.path('run/security/ca.pem')];
  const monitor = start(['monitor', page.href, '--port', '0', ...trust], place.folder, { TMPDIR: place.folder });
  t.after(() => monitor.child.kill('SIGKILL'));
  const [, prometheus] = await monitor.seen(/^Prometheus\s+(http\S+)$/m);
  await until('Prometheus reads coordinator and worker', 60_000, async () => {
    return (await programsSeen(prometheus!)) === 2 ? true : undefined;
  });
  monitor.child.kill('SIGINT');
  await monitor.ended;
});
