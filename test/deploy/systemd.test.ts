/** deploy/systemd/ under a real systemd: units are stopped, killed and started again, and the digest is the local one. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packageRoot } from '../../src/core/paths.js';
import { workshop } from '../e2e/lockstep.js';
import { documented } from './documented.js';
import { needs } from './needs.js';
import { digestHere, stepsIn } from './runs.js';
import { SystemdMachine, whyNoSystemd } from './systemd-machine.js';

const place = workshop({ after });

describe('systemd', needs(whyNoSystemd()), () => {
  const machine = new SystemdMachine();
  before(async () => {
    await machine.start();
    for (const command of documented('systemd.md', 'install')) await machine.must(command);
  });
  after(() => machine.stop());

  /** Steps in a folder of the machine, recorded by a coordinator. */
  const recordedIn = (path: string): readonly number[] => stepsIn(machine.path(path)).map(({ step }) => step);
  const localDigest = (...flags: readonly string[]) => digestHere(place.folder, ...flags, '--workers', '1');
  /** Of a process: no right, none to be had, and a filter for system calls. */
  const assertConfined = async (pid: string): Promise<void> => {
    const status = await machine.must(`cat /proc/${pid}/status`);
    for (const fact of [/^CapBnd:\s+0+$/m, /^CapEff:\s+0+$/m, /^NoNewPrivs:\s+1$/m, /^Seccomp:\s+2$/m])
      assert.match(status, fact);
    assert.doesNotMatch(status, /^Uid:\s+0\s/m);
    const { code } = await machine.spawn(`nsenter --target ${pid} --mount touch /etc/lockstep-was-here`).ended;
    assert.notEqual(code, 0, 'it sees a system that cannot be written to');
  };

  test('a coordinator that is stopped saves, what is started goes on, also after kill -9', async () => {
    const unit = 'lockstep-coordinator';
    const folder = '/var/lib/private/lockstep/run';
    const lastStep = (): number => recordedIn(folder).at(-1) ?? 0;
    const beyond = (step: number) => machine.until(`step ${step}`, unit, () => lastStep() > step);
    const [start = '', work = ''] = documented('systemd.md', 'train');

    await machine.must(start);
    const first = machine.spawn(work);
    await beyond(20);
    await assertConfined((await machine.processes(unit)).at(-1)!);
    await machine.must(`systemctl stop ${unit}`);
    assert.equal(await machine.property(unit, 'Result'), 'success', await machine.log(unit));
    assert.equal(await machine.property(unit, 'ExecMainStatus'), '130');
    assert.match(await machine.log(unit), /interrupted and saved/);
    assert.equal((await first.ended).code, 0);

    await machine.must(`systemctl start ${unit}`);
    const second = machine.spawn(work);
    await beyond(lastStep() + 20);
    await machine.must(`systemctl kill --kill-whom=all --signal KILL ${unit}`);
    await machine.until('it takes over', unit, async () => /has taken over at step/.test(await machine.log(unit)));
    assert.equal(await machine.property(unit, 'NRestarts'), '1');
    await beyond(Math.max(120, lastStep())); // its worker is back, and has told what it did meanwhile
    await beyond(lastStep() + 20); //            and goes on under this coordinator

    const worker = (await machine.must("pgrep --full '^node .*lockstep worker'")).trim();
    await machine.must(`kill -KILL ${worker}`);
    assert.notEqual((await second.ended).code, 0);
    const isBack = async (): Promise<boolean> =>
      /\[LAST_WORKER_LOST\][^]*resuming after step [1-9][\d,]*00$/m.test(await machine.log(unit));
    await machine.until('it goes on from a checkpoint', unit, isBack);
    const third = machine.spawn(work);
    await machine.until('it ends', unit, async () => (await machine.property(unit, 'ActiveState')) === 'inactive');
    assert.equal(await machine.property(unit, 'Result'), 'success', await machine.log(unit));
    assert.equal((await third.ended).code, 0);
    const digest = await localDigest('--config', join(packageRoot, 'deploy', 'systemd', 'run.yaml'));
    assert.ok((await machine.log(unit)).includes(digest), await machine.log(unit));
    const all = recordedIn(folder);
    assert.deepEqual(
      all,
      all.map((_, i) => i + 1),
      'no step was lost or done twice',
    );
  });

  test('programs of an agent go on when it is started again, which then replaces them; together they are ended', async () => {
    const unit = 'lockstep-agent';
    for (const command of documented('systemd.md', 'agent')) await machine.must(command);
    await machine.until('it serves', unit, async () => /serves the queue/.test(await machine.log(unit)));

    // Long enough for all that happens meanwhile, on a machine that has other work, too.
    const launch = documented('systemd.md', 'launch')[0]!.replace('--epochs 3', '--epochs 10');
    const launched = machine.spawn(`${launch} --run first`);
    const folder = '/var/lib/lockstep-agent/runs';
    const lastStep = (run: string): number => recordedIn(join(folder, `${run}.out`)).at(-1) ?? 0;
    const beyond = (run: string, step: number) => machine.until(`step ${step}`, unit, () => lastStep(run) > step);
    await beyond('first', 20);
    const workers = ['worker-0', 'worker-1'].map(
      (who) => JSON.parse(readFileSync(machine.path(`${folder}/first.${who}.pid`), 'utf8')) as { readonly pid: number },
    );

    await machine.must(`systemctl restart ${unit}`);
    const isKept = async (): Promise<boolean> => /found worker-1 of run first/.test(await machine.log(unit));
    await machine.until('it finds its programs', unit, isKept);
    const now = await machine.processes(unit);
    for (const { pid } of workers) assert.ok(now.includes(String(pid)), `worker ${pid} went on`);

    await machine.must(`kill -KILL ${workers[1]!.pid}`);
    const { code, stdout, stderr } = await launched.ended;
    assert.equal(code, 0, stdout + stderr);
    const [, flags = ''] = launch.split('--workers 2 ');
    assert.ok(stdout.includes(await localDigest(...flags.split(' '))), stdout);
    const isReplaced = /started worker-1 of run first/g;
    assert.equal((await machine.log(unit)).match(isReplaced)?.length, 2, await machine.log(unit));

    await machine.must(`${launch} --run second --detach`);
    await beyond('second', 20);
    for (const pid of await machine.processes(unit)) await assertConfined(pid);
    await machine.must(`systemctl stop ${unit}`);
    assert.notDeepEqual(await machine.processes(unit), [], 'the programs are still there');
    for (const command of documented('systemd.md', 'agent-end')) await machine.must(command);
    await machine.until('all have ended', unit, async () => (await machine.processes(unit)).length === 0);
    assert.ok(existsSync(machine.path(`${folder}/second.out/report.json`)), 'saved');
  });
});
