import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { jsonLines, lastLine, processesWith, runToEnd, start, workshop, type Running } from './lockstep.js';

/** The coordinator is killed; workers go on without it, and another one takes over. */

const place = workshop({ after });
const data = place.smallDataset();
const steps = 1500;
const spec = ['--dataset', data, '--global-batch', '48', '--micro-batch', '6', '--steps', String(steps)];
const flags = [...spec, '--eval-every', '200steps', '--metrics-port', '0', '--json'];
const isLinux = process.platform === 'linux';

const undisturbed = (async () => {
  const run = await runToEnd(['train', ...flags, '--workers', '1', '--out', place.path('undisturbed')], place.folder);
  return lastLine(run.stdout)['weightsDigest'];
})();

/** The last line of a run that ended well, with the bits of the undisturbed one and every line told once. */
async function assertSameRun(run: Running, out: string): Promise<void> {
  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  assert.equal(lastLine(stdout)['weightsDigest'], await undisturbed);
  const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
  const told = lines.map((line) => JSON.parse(line) as { step: number; loss?: number });
  const stepsTold = told.flatMap(({ step, loss }) => (loss === undefined ? [] : [step]));
  const evaluated = told.flatMap(({ step, loss }) => (loss === undefined ? [step] : []));
  assert.deepEqual(
    stepsTold,
    Array.from({ length: steps }, (_, i) => i + 1),
    'every step is told exactly once',
  );
  assert.deepEqual(evaluated, [200, 400, 600, 800, 1000, 1200, 1400, steps]);
  const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Record<string, unknown>;
  assert.equal(report['weightsDigest'], await undisturbed);
  assert.equal(report['steps'], steps);
}

function coordinatorOf(out: string): number {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const isIt = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0coordinator\0');
  const [pid] = processesWith(out, all).filter(isIt);
  return Number(pid);
}

test(
  '`train` starts a killed coordinator again, twice: no step is lost or told twice',
  { skip: !isLinux },
  async () => {
    const out = place.path('killed');
    const run = start(['train', ...flags, '--workers', '2', '--out', out], place.folder);
    await run.seen(/"type":"step","step":2\d,/);
    process.kill(coordinatorOf(out), 'SIGKILL');
    await run.seenInTurn(/"type":"restored".*"term":2/, /"type":"step"/);
    process.kill(coordinatorOf(out), 'SIGKILL');
    await assertSameRun(run, out);
    const lines = jsonLines((await run.ended).stdout);
    assert.deepEqual(
      lines.flatMap((line) => (line.type === 'restored' ? [line['term']] : [])),
      [2, 3],
    );
    assert.deepEqual(
      lines.filter((line) => line.type === 'membership'),
      [],
      'nobody was lost',
    );
  },
);

test(
  'a worker lost without a coordinator: the run stalls with a line, and goes on with the next one',
  { skip: !isLinux },
  async () => {
    const out = place.path('by-hand');
    const startCoordinator = (...more: string[]): Running =>
      start(['coordinator', '--out', out, '--metrics-port', '0', '--json', ...more], place.folder);
    const first = startCoordinator(...flags, '--workers', '2', '--min-workers', '1', '--port', '0');
    const [, address] = await first.seen(/"coordinator":"([^"]+)"/);
    const [anna, bert] = ['anna', 'bert'].map((name) =>
      start(
        ['worker', '--coordinator', address!, '--name', name, '--exchange-port', '0', '--metrics-port', '0'],
        place.folder,
      ),
    ) as [Running, Running];
    await first.seen(/"type":"step","step":2\d,/);
    first.child.kill('SIGKILL');
    await first.ended;
    bert.child.kill('SIGKILL');
    await anna.complained(/waiting for the coordinator at [\d.:]+: worker bert-\w+ is gone/);

    const port = address!.split(':')[1]!;
    const refused = await runToEnd(
      ['coordinator', '--restore', '--out', out, '--port', port, '--seed', '8', '--metrics-port', '0'],
      place.folder,
    );
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /--seed 8/);

    const second = startCoordinator('--restore'); //                      options and port are in the folder
    await second.seen(/"type":"membership".*"left":\["bert-\w+"\]/);
    await assertSameRun(second, out);
    const { code, stderr } = await anna.ended;
    assert.equal(code, 0, stderr);
  },
);

test('a run that nobody began, or that is led already, is not taken over', { skip: !isLinux }, async () => {
  const out = place.path('led');
  const restore = ['coordinator', '--restore', '--out', out, '--port', '0', '--metrics-port', '0', '--json'];
  const first = start([...restore, ...spec, '--workers', '1', '--join-timeout', '30'], place.folder);
  await first.seen(/"type":"waiting"/); //                              an empty folder: a new run
  const { code, stderr } = await runToEnd(restore, place.folder);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /RUN_IN_USE/);
  first.child.kill('SIGTERM');
  assert.equal((await first.ended).code, 130);
  const missing = await runToEnd(['coordinator', '--restore'], place.folder);
  assert.match(missing.stderr, /RESTORE_WITHOUT_OUT/);
});
