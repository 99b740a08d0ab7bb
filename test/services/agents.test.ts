import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, afterEach, beforeEach, test } from 'node:test';
import { lastLine, runToEnd, slowEngine, start } from '../e2e/lockstep.js';
import { natsMissing } from '../e2e/nats-server.js';
import { agentsAtWork } from './agents-at-work.js';

/** Agents that share their slots among the runs that a real NATS server has in its queue. */

const skip = natsMissing();
const { place, spec, server, agent, endAgents, launch, programs, command } = agentsAtWork({
  after,
  beforeEach,
  afterEach,
});

async function digestOf(steps: number): Promise<unknown> {
  const out = place.path(`undisturbed-${steps}`);
  const flags = ['--workers', '1', '--steps', String(steps), '--metrics-port', '0', '--json', '--out', out];
  const { stdout } = await runToEnd(['train', ...spec, ...flags], place.folder);
  rmSync(out, { recursive: true });
  return lastLine(stdout)['weightsDigest'];
}

function launchedDigest(stdout: string): string | undefined {
  return /weights sha256 ([0-9a-f]+)/.exec(stdout)?.[1];
}

test('a run that is launched finds slots on the hosts, and ends as it does on one machine', { skip }, async () => {
  const none = await command('nodes');
  assert.equal(none.stdout, '');
  assert.match(none.stderr, /^no agent is there: `lockstep agent`/m);
  const those = [agent('anna'), agent('bert')];
  for (const each of those) await each.complained(/serves/);
  assert.match((await command('nodes')).stdout, /^anna on .*: 1 free: \d+ threads \(free\)$/m);
  const { code, stdout, stderr } = await launch('first', 60).ended;
  assert.equal(code, 0, stderr);
  assert.equal(launchedDigest(stdout), await digestOf(60));
  assert.match(stdout, /generation:.*members \["(anna|bert)-0","(anna|bert)-0"\]/);
  const logs = await command('logs', 'first');
  for (const who of ['coordinator', 'worker-0', 'worker-1']) assert.match(logs.stdout, new RegExp(`^${who}: `, 'm'));
  assert.match((await command('runs')).stdout, /^run first is finished: finished after 60 steps$/m);
  assert.match((await launch('first', 60).ended).stderr, /there is a run first already \(finished\).*RUN_NAME_TAKEN/);
  await endAgents(...those);
});

test(
  'of two runs for the same slots one waits, and the loss of launcher, agent or NATS loses and doubles none',
  { skip },
  async () => {
    const unfinished = place.path('unfinished');
    writeFileSync(unfinished, '');
    const slow = slowEngine(100, unfinished);
    const [anna, bert] = [agent('carla', 1, slow), agent('dora', 1, slow)];
    const one = launch('one', 160);
    await one.seen(/run one is running[^]* steps: /);
    const two = launch('two', 60);
    await two.seen(/run two is queued: it needs 2 slots, and 0 of 2 are free/);

    one.child.kill('SIGKILL');
    anna.child.kill('SIGKILL');
    await anna.ended;
    const successor = agent('carla', 1, slow);
    await successor.complained(/found worker-\d of run one, process \d+, and keeps it/);
    await server().kill();
    await Promise.all([successor, bert].map((each) => each.complained(/NATS does not answer/)));
    await server().start();
    await Promise.all([successor, bert].map((each) => each.complained(/NATS answers again/)));
    rmSync(unfinished); //                                            from here on it may end

    const again = start(['attach', 'one', '--nats', server().url], place.folder);
    const first = await again.ended;
    assert.equal(first.code, 0, first.stderr);
    assert.equal(launchedDigest(first.stdout), await digestOf(160));
    const second = await two.ended;
    assert.equal(second.code, 0, second.stderr);
    assert.equal(launchedDigest(second.stdout), await digestOf(60));
    for (const run of ['one', 'two']) {
      const { stdout } = await command('events', '--run', run);
      const steps = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { type: string; sequence: number });
      assert.equal(steps.filter(({ type }) => type === 'started').length, 1, `${run} began once`);
      assert.equal(steps.filter(({ type }) => type === 'finished').length, 1);
    }
    await endAgents(successor, bert);
  },
);

test('a launcher that dies when its record is there has launched its run, once', { skip }, async () => {
  const orphan = launch('orphan', 60);
  await orphan.seen(/run orphan is submitted/); //                    no agent is there: nobody but the launcher has done anything
  orphan.child.kill('SIGKILL');
  await orphan.ended;
  const those = [agent('hanna'), agent('ida')];
  const { code, stdout, stderr } = await start(['attach', 'orphan', '--nats', server().url], place.folder).ended;
  assert.equal(code, 0, stderr);
  assert.equal(launchedDigest(stdout), await digestOf(60));
  await endAgents(...those);
  const begun = those.map((each) => each.complaints().match(/started the coordinator of run orphan/g)?.length ?? 0);
  assert.deepEqual(begun.sort(), [0, 1]);
});

test('a run is stopped in the queue and on its way, and higher priorities go first', { skip }, async () => {
  const only = agent('emma', 2, slowEngine(4));
  const long = launch('long', 100_000);
  await long.seen(/ steps: /);
  const low = launch('low', 60, '--priority', '1');
  await low.seen(/run low is queued: it needs 2 slots/);
  const high = launch('high', 60, '--priority', '9');
  await low.seen(/run low is queued: high is before it/);
  const never = launch('never', 60, '--priority', '0');
  await never.seen(/run never is queued/);
  await command('stop', 'never');
  assert.equal((await never.ended).code, 130);
  await command('stop', 'long');
  const { code, stdout } = await long.ended;
  assert.equal(code, 130);
  assert.match(stdout, /run long is stopped: interrupted after \d+ steps/);
  assert.equal(launchedDigest((await high.ended).stdout), await digestOf(60));
  assert.equal(launchedDigest((await low.ended).stdout), await digestOf(60));
  await endAgents(only);
});

test('what a coordinator would not take is refused by the launcher', { skip }, async () => {
  const wrong = await launch('wrong', 60, '--micro-batch', '7').ended;
  assert.equal(wrong.code, 2);
  const unknown = await launch('unknown', 60, '--stepz', '7').ended;
  assert.match(unknown.stderr, /unknown flag --stepz/);
  const broken = start(
    ['launch', '--nats', server().url, '--workers', '1', '--run', 'broken', '--dataset', place.path('nowhere')],
    place.folder,
  );
  const only = agent('frida');
  const { code, stderr } = await broken.ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /run broken failed: .*nowhere/);
  await endAgents(only);
});

const noProc = process.platform === 'linux' ? false : 'the variables of a process are read from /proc';

test('each worker sees one GPU of its host, and no other', { skip: skip || noProc }, async () => {
  mkdirSync(place.path('bin'));
  const cards = ['GPU-aaaa-1', 'GPU-bbbb-2', 'GPU-cccc-3'].map((uuid) => `echo "${uuid}, NVIDIA Test"`);
  writeFileSync(place.path('bin/nvidia-smi'), `#!/bin/sh\n${cards.join('\n')}\n`, { mode: 0o755 });
  const path = `${place.path('bin')}:${process.env['PATH'] ?? ''}`;
  const only = agent('gina', 'auto', { PATH: path, CUDA_VISIBLE_DEVICES: '2,0', ...slowEngine(20) });
  await only.complained(/serves/);
  assert.match((await command('nodes')).stdout, /gina on .*: 2 free: NVIDIA Test \(free\), NVIDIA Test \(free\)/);
  const run = launch('cards', 60);
  await run.seen(/ steps: /);
  const seen = programs().flatMap((pid) => {
    const [, , program] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return program === 'worker' ? variables.filter((each) => each.startsWith('CUDA_VISIBLE_DEVICES=')) : [];
  });
  assert.deepEqual(seen.sort(), ['CUDA_VISIBLE_DEVICES=GPU-aaaa-1', 'CUDA_VISIBLE_DEVICES=GPU-cccc-3']);
  assert.equal((await run.ended).code, 0, (await run.ended).stderr);
  await endAgents(only);
});
