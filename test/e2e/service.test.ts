/** deploy/service.sh, as systemd, Compose and Kubernetes start it again and again. */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/core/paths.js';
import { lastLine, processesWith, runToEnd, start, workshop, type Running } from './lockstep.js';

const place = workshop({ after });
const data = place.smallDataset();
const spec = ['--dataset', data, '--global-batch', '48', '--micro-batch', '6', '--steps', '1500', '--json'];
const out = place.path('run');

/** The script in a process group of its own. */
function service(): Running {
  const flags = [...spec, '--workers', '1', '--port', '0', '--metrics-port', '0'];
  const script = join(packageRoot, 'deploy', 'service.sh');
  const PATH = `${place.path('bin')}${delimiter}${process.env['PATH']!}`;
  return start([out, ...flags], place.folder, { PATH }, ['sh', '-c', 'shift 2; exec setsid sh "$0" "$@"', script]);
}

async function workerOf(coordinator: Running): Promise<Running> {
  const [, address] = await coordinator.seen(/"coordinator":"([^"]+)"/);
  const flags = ['--coordinator', address!, '--exchange-port', '0', '--metrics-port', '0'];
  return start(['worker', ...flags], place.folder);
}

test(
  'stopped with its whole group it saves; started again it goes on, also when its coordinator was killed',
  { skip: process.platform !== 'linux' },
  async () => {
    mkdirSync(place.path('bin'));
    symlinkSync(join(packageRoot, 'bin', 'lockstep.js'), place.path('bin/lockstep'));

    const first = service();
    const itsWorker = await workerOf(first);
    await first.seen(/"type":"step","step":2\d,/);
    process.kill(-first.child.pid!, 'SIGTERM'); // coordinator and script, which passes it on to the coordinator
    assert.equal((await first.ended).code, 130, (await first.ended).stderr);
    assert.equal(lastLine((await first.ended).stdout)['outcome'], 'interrupted');
    assert.equal((await itsWorker.ended).code, 0);

    const second = service();
    const worker = await workerOf(second);
    await second.seen(/"type":"resumed"/);
    await second.seen(/"type":"step"/);
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const isCoordinator = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0coordinator\0');
    process.kill(Number(processesWith(out, all).find(isCoordinator)), 'SIGKILL');
    assert.equal((await second.ended).signal, 'SIGKILL');

    const third = service();
    await third.seen(/"type":"restored"/);
    assert.equal((await third.ended).code, 0, (await third.ended).stderr);
    assert.equal((await worker.ended).code, 0, (await worker.ended).stderr);
    const alone = await runToEnd(['train', ...spec, '--workers', '1', '--metrics-port', '0'], place.folder);
    assert.equal(lastLine((await third.ended).stdout)['weightsDigest'], lastLine(alone.stdout)['weightsDigest']);
  },
);
