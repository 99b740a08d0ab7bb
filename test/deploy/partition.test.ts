import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { jsonLines, lastLine, runToEnd, start, workshop, type Running } from '../e2e/lockstep.js';

/**
 * A network that falls apart: two network namespaces with one cable between them, which is pulled and put in again. Needs
 * the right to make namespaces (root, and iproute2).
 */

const place = workshop({ after });
const names = { near: `lockstep-near-${process.pid}`, far: `lockstep-far-${process.pid}` };
const near = '10.203.77.1';
const far = '10.203.77.2';

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

/** @returns why there is no such network here, or false if there is one now */
function laysNoCable(): string | false {
  try {
    for (const name of Object.values(names)) ip('netns', 'add', name);
    ip('link', 'add', 'cable', 'netns', names.near, 'type', 'veth', 'peer', 'name', 'cable', 'netns', names.far);
    for (const [name, address] of [
      [names.near, near],
      [names.far, far],
    ] as const) {
      ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'cable');
      for (const device of ['lo', 'cable']) ip('-n', name, 'link', 'set', device, 'up');
    }
    return false;
  } catch (error) {
    const reason = `no network namespaces here: ${(error as Error).message.trim()}`;
    if (process.env['CI'] === 'true') throw new Error(`CI must be able to make them; ${reason}`, { cause: error });
    return reason;
  }
}

after(() => {
  for (const name of Object.values(names)) spawnSync('ip', ['netns', 'del', name]);
});
const skip = process.platform === 'linux' ? laysNoCable() : 'network namespaces are of Linux';

const spec = ['--dataset', place.smallDataset(), '--global-batch', '48', '--micro-batch', '6'];

/** Steps that a worker has finished, as its own log says. */
function finishedSteps(stderr: string): readonly number[] {
  return [...stderr.matchAll(/finished step (\d+)/g)].map(([, step]) => Number(step));
}

test(
  'cut in two, the side with the coordinator goes on, the other stands still, and comes back',
  { skip },
  async () => {
    const out = place.path('cut');
    // Each side has a folder of its own for sockets: through a common one they would still be on the same host.
    const inside = (namespace: string, args: readonly string[]): Running => {
      mkdirSync(place.path(namespace), { recursive: true });
      const environment = { TMPDIR: place.path(namespace) };
      return start(args, place.folder, environment, ['ip', 'netns', 'exec', namespace]);
    };
    const where = ['--listen', near, '--insecure', '--port', '0', '--metrics-port', '0', '--json', '--out', out];
    const counts = ['--epochs', '100000', '--eval-every', '100000epochs', '--workers', '3', '--min-workers', '1'];
    const coordinator = inside(names.near, ['coordinator', ...spec, ...counts, ...where]);
    const [, address] = await coordinator.seen(/"coordinator":"([^"]+)"/);
    const worker = (namespace: string, host: string, name: string): Running => {
      const at = [
        '--coordinator',
        address!,
        '--listen',
        host,
        '--insecure',
        '--exchange-port',
        '0',
        '--metrics-port',
        '0',
      ];
      return inside(namespace, ['worker', ...at, '--name', name, '--log-level', 'debug']);
    };
    const anna = worker(names.near, near, 'anna');
    const [bert, carla] = ['bert', 'carla'].map((name) => worker(names.far, far, name)) as [Running, Running];
    await coordinator.seen(/"type":"step","step":2\d,.*"worldSize":3/);

    ip('-n', names.near, 'link', 'set', 'cable', 'down');
    const [, cutStep] = await coordinator.seen(/"type":"membership","generation":\d+,"step":(\d+),"worldSize":1/);
    await coordinator.seen(new RegExp(`"type":"step","step":${Number(cutStep) + 100},.*"worldSize":1`));
    for (const cutOff of [bert, carla]) {
      const steps = finishedSteps(cutOff.complaints());
      // Members are at most one step apart: what the near side had sent for the next step may have come through before.
      assert.ok(
        Math.max(...steps) <= Number(cutStep) + 1,
        `it went on to step ${Math.max(...steps)}, after ${cutStep}`,
      );
    }

    ip('-n', names.near, 'link', 'set', 'cable', 'up');
    await coordinator.seenInTurn(
      /"type":"membership".*"worldSize":1/,
      /"type":"membership".*"worldSize":3/,
      /"type":"step".*"worldSize":3/,
    );
    coordinator.child.kill('SIGINT');
    const { stdout, stderr, code } = await coordinator.ended;
    assert.equal(code, 130, stderr);
    for (const each of [anna, bert, carla])
      assert.equal((await each.ended).code, 0, (await each.ended).stderr.slice(-2000));
    const report = lastLine(stdout);
    const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
    assert.deepEqual(
      lines.flatMap((line) => (line.includes('testLoss') ? [] : [(JSON.parse(line) as { step: number }).step])),
      Array.from({ length: report['steps'] as number }, (_, i) => i + 1),
    );
    assert.ok(jsonLines(stdout).some((line) => line.type === 'membership' && line['worldSize'] === 1));

    const alone = ['--workers', '1', '--steps', String(report['steps']), '--metrics-port', '0', '--json'];
    const again = await runToEnd(['train', ...spec, ...alone, '--out', place.path('alone')], place.folder);
    assert.equal(lastLine(again.stdout)['weightsDigest'], report['weightsDigest']);
  },
);
