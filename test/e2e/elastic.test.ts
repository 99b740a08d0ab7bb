import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { jsonLines, lastLine, processesWith, runToEnd, start, workshop, type Running } from './lockstep.js';

const place = workshop({ after });
const data = place.smallDataset();
const steps = 1500; //                                               long enough that every fault comes in the middle
const spec = [
  '--dataset',
  data,
  '--global-batch',
  '48',
  '--micro-batch',
  '6',
  '--steps',
  String(steps),
  '--eval-every',
  '200steps',
];
const isLinux = process.platform === 'linux';

/** The undisturbed run that all others are compared with. */
const undisturbed = (async () => {
  const run = await runToEnd(
    ['train', ...spec, '--workers', '1', '--metrics-port', '0', '--json', '--out', place.path('undisturbed')],
    place.folder,
  );
  return lastLine(run.stdout)['weightsDigest'];
})();

async function assertSameRun(run: Running, out: string): Promise<void> {
  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  const report = lastLine(stdout);
  assert.equal(report['weightsDigest'], await undisturbed);
  assert.equal(report['steps'], steps);
  const told = readFileSync(join(out, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { step: number; loss?: number });
  assert.deepEqual(
    told.flatMap(({ step, loss }) => (loss === undefined ? [] : [step])),
    Array.from({ length: steps }, (_, i) => i + 1),
    'every step is told exactly once',
  );
}

function startCoordinator(out: string, flags: readonly string[]): Running {
  return start(
    ['coordinator', ...spec, ...flags, '--port', '0', '--metrics-port', '0', '--json', '--out', out],
    place.folder,
  );
}

function startWorker(address: string, name: string): Running {
  const flags = ['--coordinator', address, '--name', name, '--exchange-port', '0', '--metrics-port', '0'];
  return start(['worker', ...flags], place.folder);
}

/** Both the address of a coordinator and a run with these workers under way, past a few steps. */
async function startByHand(out: string, names: readonly string[], flags: readonly string[] = []) {
  const coordinator = startCoordinator(out, ['--workers', String(names.length), ...flags]);
  const [, address] = await coordinator.seen(/"coordinator":"([^"]+)"/);
  const workers = new Map(names.map((name) => [name, startWorker(address!, name)]));
  await coordinator.seen(/"type":"step","step":2\d,/);
  return { coordinator, address: address!, worker: (name: string) => workers.get(name)!, workers };
}

test(
  'a worker killed on the way: the others carry on, nothing is lost, the bits are the same',
  { skip: !isLinux },
  async () => {
    const out = place.path('killed');
    const cache = place.path('cache-killed');
    const flags = ['--workers', '3', '--metrics-port', '0', '--json', '--cache-dir', cache, '--out', out];
    const run = start(['train', ...spec, ...flags], place.folder);
    await run.seen(/"type":"step","step":2\d,/);
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const isFirst = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker-0');
    const [pid] = processesWith(cache, all).filter(isFirst);
    process.kill(Number(pid), 'SIGKILL');
    await assertSameRun(run, out);
    const changes = jsonLines((await run.ended).stdout).filter((line) => line.type === 'membership');
    assert.equal(changes.length, 1);
    assert.equal(changes[0]!['worldSize'], 2);
    assert.match(String(changes[0]!['left']), /^worker-0-/);
  },
);

test('a worker that comes later takes part from the next step', async () => {
  const out = place.path('joined');
  const { coordinator, address, worker } = await startByHand(out, ['anna']);
  const bert = startWorker(address, 'bert');
  const [, size] = await coordinator.seen(/"type":"membership".*"worldSize":(\d)/);
  assert.equal(size, '2');
  await assertSameRun(coordinator, out);
  for (const each of [worker('anna'), bert]) assert.equal((await each.ended).code, 0);
});

test('a worker that is asked to end leaves cleanly, and the run goes on', async () => {
  const out = place.path('left');
  const { coordinator, worker } = await startByHand(out, ['anna', 'bert']);
  worker('anna').child.kill('SIGTERM'); //                             rank 0 or 1, a donor or not
  assert.equal((await worker('anna').ended).code, 0, (await worker('anna').ended).stderr);
  await coordinator.seen(/"type":"membership".*it asked to leave/);
  await assertSameRun(coordinator, out);
  assert.equal((await worker('bert').ended).code, 0);
});

test('with too few workers left the run waits for another one, and says so', { skip: !isLinux }, async () => {
  const out = place.path('waited');
  const { coordinator, address, worker } = await startByHand(out, ['anna', 'bert'], ['--min-workers', '2']);
  worker('bert').child.kill('SIGKILL');
  await coordinator.seenInTurn(/"type":"step"/, /"type":"waiting","joined":1,"worldSize":2/);
  const carla = startWorker(address, 'carla');
  await assertSameRun(coordinator, out);
  assert.equal((await carla.ended).code, 0);
});

test(
  'a worker that is stopped for a while is left out, and joins again as a new member',
  { skip: !isLinux },
  async () => {
    const out = place.path('stopped');
    const { coordinator, worker } = await startByHand(out, ['anna', 'bert']);
    worker('bert').child.kill('SIGSTOP');
    await coordinator.seen(/"type":"membership".*"left":\["bert-\w+"\],"reason":"it was silent/);
    worker('bert').child.kill('SIGCONT');
    await assertSameRun(coordinator, out);
    const { code, stderr } = await worker('bert').ended;
    assert.match(stderr, /joining again as a new member/);
    assert.ok(code === 0 || code === 3, stderr); //                      3 if the run was over before it had joined
  },
);

test('the last worker that is asked to leave stays until the run is saved, and the run can be resumed', async () => {
  const out = place.path('last');
  // The worker's start has to fit in, too, on a busy machine.
  const { coordinator, worker } = await startByHand(out, ['anna'], ['--join-timeout', '8']);
  worker('anna').child.kill('SIGTERM');
  const { code, stdout, stderr } = await coordinator.ended;
  assert.equal(code, 130, stderr);
  assert.match(stdout, /"type":"waiting","joined":0,"worldSize":1[^]*"type":"stopping","reason":"only 0 of 1 workers/);
  assert.equal(lastLine(stdout)['outcome'], 'interrupted');
  assert.equal((await worker('anna').ended).code, 0, (await worker('anna').ended).stderr);
  const resume = ['train', '--resume', out, '--workers', '2', '--metrics-port', '0', '--json'];
  await assertSameRun(start(resume, place.folder), out);
});
