import assert from 'node:assert/strict';
import { copyFileSync, cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  jsonLines,
  lastLine,
  processesWith,
  runToEnd as runAtFullSpeed,
  slowEngine,
  start as startAtFullSpeed,
  workshop,
  type Ended,
  type JsonLine,
} from './lockstep.js';

const place = workshop({ after });
const data = place.smallDataset();
/** So many, and each so slow, that a signal arrives long before the end and a checkpoint is written before the next one is due. */
const steps = 160;
const slow = slowEngine(3);
const start = (args: readonly string[], cwd: string) => startAtFullSpeed(args, cwd, slow);
const runToEnd = (args: readonly string[], cwd: string) => runAtFullSpeed(args, cwd, slow);
const ports = ['--metrics-port', '0'];
/** Ten steps an epoch, so that a run that stops somewhere stops in the middle of one; momentum is state to be carried on. */
const spec = ['--dataset', data, '--global-batch', '48', '--micro-batch', '12', '--model', 'mlp'];
const base = ['train', ...ports, ...spec, '--steps', String(steps), '--checkpoint-every', '5steps', '--json'];
const isLinux = process.platform === 'linux';

let reference: JsonLine;
before(async () => {
  const done = await runToEnd([...base, '--out', place.path('whole')], place.folder);
  assert.equal(done.code, 0, done.stderr);
  reference = lastLine(done.stdout);
});

const resume = (folder: string, ...flags: string[]): Promise<Ended> =>
  runToEnd(['train', '--resume', folder, ...ports, '--json', ...flags], place.folder);

/** Ended as the run that was never stopped, and left what such a run leaves. */
function assertSameAsWhole(folder: string, { code, stdout, stderr }: Ended): void {
  assert.equal(code, 0, stderr);
  const report = lastLine(stdout);
  for (const key of ['weightsDigest', 'steps', 'epochs', 'finalLoss', 'testAccuracy', 'skippedSteps'])
    assert.equal(report[key], reference[key], key);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')), withoutLineFields(report));
  const records = readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { step: number; loss?: number });
  const told = records.filter(({ loss }) => loss !== undefined).map(({ step }) => step);
  assert.deepEqual(
    told,
    Array.from({ length: steps }, (_, i) => i + 1),
  );
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('lock')),
    [],
  );
}

function withoutLineFields(line: JsonLine): object {
  return Object.fromEntries(Object.entries(line).filter(([key]) => key !== 'schema' && key !== 'type'));
}

/** A run that ended after 25 steps: its folder, as often as it is needed. */
let stopped: Promise<string> | undefined;
let copies = 0;
async function stoppedRun(): Promise<string> {
  stopped ??= runToEnd([...base, '--steps', '25', '--out', place.path('stopped')], place.folder).then((done) => {
    assert.equal(done.code, 0, done.stderr);
    return place.path('stopped');
  });
  const copy = place.path(`copy-${copies++}`);
  cpSync(await stopped, copy, { recursive: true });
  return copy;
}

test('stopped by Ctrl-C in mid-epoch, resumed with another number of workers', async () => {
  const folder = place.path('interrupted');
  const run = start([...base, '--out', folder], place.folder);
  await run.seen(/"type":"step","step":3,/);
  run.child.kill('SIGINT');
  const first = await run.ended;
  assert.equal(first.code, 130, first.stderr);
  const interrupted = lastLine(first.stdout);
  assert.equal(interrupted['resumeWith'], `lockstep train --resume ${folder}`);
  assert.ok((interrupted['steps'] as number) < steps, 'it was stopped before its end');
  const second = await resume(folder, '--workers', '3');
  const resumed = jsonLines(second.stdout).find((line) => line.type === 'resumed');
  assert.equal(resumed?.['step'], interrupted['steps'], 'no finished step was lost');
  assertSameAsWhole(folder, second);
});

test('kill -9 of everything, resumed twice', { skip: !isLinux }, async () => {
  const folder = place.path('killed');
  const cache = ['--cache-dir', place.path('cache-of-killed')];
  for (const [flags, tens] of [
    [[...base, '--out', folder], 1],
    [['train', '--resume', folder, ...ports, '--json', '--workers', '1'], 6],
  ] as const) {
    const run = start([...flags, ...cache], place.folder);
    await run.seen(new RegExp(`"type":"checkpoint","step":([${tens}-9]\\d|\\d{3}),`));
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const all = [...processesWith(folder, pids), ...processesWith(cache[1]!, pids)];
    assert.ok(all.length >= 3, 'train, its coordinator, its workers');
    for (const pid of new Set(all)) process.kill(Number(pid), 'SIGKILL');
    assert.equal((await run.ended).signal, 'SIGKILL');
  }
  const done = await resume(folder, '--workers', '3');
  const from = jsonLines(done.stdout).find((line) => line.type === 'resumed')?.['step'] as number;
  assert.ok(from >= 60 && from % 5 === 0, `it went on from a checkpoint: ${from}`);
  assertSameAsWhole(folder, done);
});

test('a run gets a later end; its newest checkpoint is damaged, named, and the one before is used', async () => {
  const folder = await stoppedRun();
  const names = readdirSync(join(folder, 'checkpoints')).sort();
  assert.deepEqual([names.length, names[1]], [2, '00000025.safetensors']);
  const previous = Number.parseInt(names[0]!, 10); //                  20, unless the disk was still at the one of 15
  const newest = join(folder, 'checkpoints', names[1]!);
  const bytes = readFileSync(newest);
  bytes[bytes.length - 7]! ^= 1;
  writeFileSync(newest, bytes);
  const done = await resume(folder, '--steps', String(steps));
  assert.match(done.stderr, /00000025\.safetensors is passed over.*SHA-256/);
  assert.equal(jsonLines(done.stdout).find((line) => line.type === 'resumed')?.['step'], previous);
  assertSameAsWhole(folder, done);
});

test('without a whole checkpoint it says so', async () => {
  const folder = await stoppedRun();
  for (const name of readdirSync(join(folder, 'checkpoints'))) truncateSync(join(folder, 'checkpoints', name), 5000);
  const { code, stderr } = await resume(folder);
  assert.equal(code, 1);
  assert.match(stderr, /error: .*checkpoints has no whole checkpoint: 2 damaged \[NO_CHECKPOINT\]/);
});

test('a run that is over has nothing left to do', async () => {
  const folder = await stoppedRun();
  const journal = readFileSync(join(folder, 'journal.jsonl'), 'utf8');
  const idle = await resume(folder);
  assert.equal(idle.code, 0, idle.stderr);
  assert.equal(jsonLines(idle.stdout).find((line) => line.type === 'resumed')?.['isFinished'], true);
  assert.equal(lastLine(idle.stdout)['steps'], 25);
  assert.equal(readFileSync(join(folder, 'journal.jsonl'), 'utf8'), journal);
});

test('what would make it another run is refused by name', async () => {
  const folder = await stoppedRun();
  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [['--lr', '0.5'], /--lr 0\.5 would change the run.*learningRate: 0\.001.*\[RESUME_DIFFERS\]/],
    [['--steps', '24'], /after step 24: it is meant to have 25 \[RESUME_SHORTER\]/],
  ];
  for (const [flags, message] of refused) {
    const { code, stderr } = await resume(folder, ...flags);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
  const images = join(data, 'train-images-idx3-ubyte');
  copyFileSync(images, place.path('images'));
  try {
    const bytes = readFileSync(images);
    bytes[5000]! ^= 1;
    writeFileSync(images, bytes);
    const { stderr } = await resume(folder, '--steps', String(steps));
    assert.match(stderr, /its train-images of the data set was .* \[RESUME_CHANGED\]/);
  } finally {
    copyFileSync(place.path('images'), images);
  }
  const { stderr } = await resume(place.path('data'));
  assert.match(stderr, /names no run: there is no .*spec\.json \[RESUME_NO_RUN\]/);
});

test('two processes cannot work on one run', async () => {
  const folder = place.path('busy');
  const run = start([...base, '--steps', '100000', '--out', folder], place.folder);
  await run.seen(/"type":"checkpoint"/);
  const { code, stderr } = await resume(folder);
  run.child.kill('SIGINT');
  assert.equal(code, 1);
  assert.match(stderr, /is in use by process \d+ on .* \[RUN_IN_USE\]/);
  assert.equal((await run.ended).code, 130);
});

test('numbers that stay not finite end the run: step, tensor, micro-batch', async () => {
  const folder = place.path('overflow');
  const flags = ['--optimizer', 'sgd', '--lr', '1e30', '--max-skipped', '3', '--out', folder];
  const { code, stderr } = await runToEnd([...base, ...flags], place.folder);
  assert.equal(code, 1, stderr);
  assert.match(
    stderr,
    /error: step (\d+) was skipped, number 3 in a row: the gradient of \w+\.(kernel|bias) is not finite \(first in micro-batch 0, samples 0 to 11 of the batch\) \[NOT_FINITE\]/,
  );
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.safetensors')),
    [],
    'nothing that is not finite is left as a result',
  );
});
