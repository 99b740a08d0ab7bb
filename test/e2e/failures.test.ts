import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  jsonLines,
  lastLine,
  processesWith,
  runToEnd,
  start,
  workshop,
  writeSmallDataset,
  type Ended,
} from './lockstep.js';

const place = workshop({ after });
const data = place.smallDataset();
const base = ['train', '--dataset', data, '--metrics-port', '0', '--global-batch', '48', '--micro-batch', '12'];
let runs = 0;
const out = (): string => place.path(`out-${runs++}`);

/** One line that names the value, one with the remedy, the exit code, and no stack trace. */
function assertRefused({ code, stdout, stderr }: Ended, exitCode: number, message: RegExp): void {
  assert.equal(code, exitCode, stderr);
  const lines = stderr.trim().split('\n');
  assert.equal(lines.length, 2, stderr);
  assert.match(lines[0]!, /^error: .* \[[A-Z_]+\]$/);
  assert.match(lines[0]!, message);
  assert.match(lines[1]!, /^remedy: /);
  assert.equal(stdout.includes('    at '), false);
}

const usageErrors: readonly { readonly what: string; readonly flags: readonly string[]; readonly message: RegExp }[] = [
  { what: 'an unknown flag', flags: ['--optimiser', 'adam'], message: /--optimiser.*--optimizer/ },
  { what: 'an unknown optimizer option', flags: ['--optimizer-option', 'beta3=0.5'], message: /beta3/ },
  { what: 'an option value out of range', flags: ['--optimizer-option', 'beta1=1.5'], message: /beta1.*1\.5/ },
  {
    what: 'a batch that is not a multiple of the micro-batch',
    flags: ['--micro-batch', '13'],
    message: /13.*48|48.*13/,
  },
  { what: 'rprop with mini-batches', flags: ['--optimizer', 'rprop'], message: /rprop/ },
  { what: 'an unknown schedule', flags: ['--lr-schedule', 'cosin'], message: /cosin.*cosine/ },
  { what: 'a batch larger than the data set', flags: ['--global-batch', '960'], message: /960.*480/ },
  { what: 'an unknown model', flags: ['--model', 'lenet6'], message: /lenet6/ },
];
for (const { what, flags, message } of usageErrors) {
  test(`${what} is refused, and nothing is written`, async () => {
    const folder = out();
    assertRefused(await runToEnd([...base, '--out', folder, ...flags], place.folder), 2, message);
    assert.equal(existsSync(folder), false);
  });
}

test('an unknown key of a configuration file is refused by name', async () => {
  writeFileSync(place.path('run.yaml'), 'workers: 2\nlearningrat: 0.1\n');
  assertRefused(
    await runToEnd(['train', '--config', place.path('run.yaml')], place.folder),
    2,
    /learningrat.*learningRate/,
  );
});

test('an --out that is not empty is refused and left as it was', async () => {
  const folder = out();
  mkdirSync(folder);
  writeFileSync(join(folder, 'thesis.txt'), 'precious');
  assertRefused(await runToEnd([...base, '--out', folder], place.folder), 2, /thesis\.txt|not empty/);
  assert.deepEqual(readdirSync(folder), ['thesis.txt']);
});

test('a port in use is named, with the flag', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const folder = out();
  const text = new RegExp(`${port}.*--port`);
  assertRefused(await runToEnd([...base, '--out', folder, '--port', String(port)], place.folder), 1, text);
  assert.equal(existsSync(folder), false);
  const metrics = ['--metrics-port', String(port)];
  assertRefused(
    await runToEnd([...base, '--out', folder, ...metrics], place.folder),
    1,
    new RegExp(`${port}.*--metrics-port`),
  );
});

for (const [what, damage, message] of [
  ['missing', (file: string) => writeFileSync(`${file}.moved`, ''), /train-images/],
  ['truncated', (file: string) => truncateSync(file, 5000), /train-images.*5,?000/],
  [
    'gzip-corrupt',
    (file: string) => writeFileSync(file, gzipSync(readFileSync(file)).fill(7, 200, 300)),
    /train-images/,
  ],
] as const) {
  test(`a data set with a file that is ${what} is refused, the file named`, async () => {
    const folder = place.path(`data-${what}`);
    mkdirSync(folder);
    writeSmallDataset(folder);
    const file = join(folder, 'train-images-idx3-ubyte');
    damage(file);
    if (what === 'missing') (await import('node:fs')).rmSync(file);
    const outFolder = out();
    assertRefused(await runToEnd([...base, '--dataset', folder, '--out', outFolder], place.folder), 1, message);
    assert.equal(existsSync(outFolder), false);
  });
}

test('initial weights of another shape are refused, the tensor named', async () => {
  const done = await runToEnd([...base, '--model', 'mlp', '--steps', '1', '--out', place.path('mlp')], place.folder);
  assert.equal(done.code, 0, done.stderr);
  const init = ['--init', place.path('mlp/final.safetensors')];
  const refused = await runToEnd([...base, ...init, '--out', out()], place.folder);
  assertRefused(refused, 1, /final\.safetensors.*conv1\.kernel/);
});

test('with --json the error is the last line of stdout too', async () => {
  const { code, stdout } = await runToEnd([...base, '--json', '--optimizer-option', 'beta3=0.5'], place.folder);
  assert.equal(code, 2);
  const line = lastLine(stdout);
  assert.equal(line.type, 'error');
  assert.equal(line['code'], 'UNKNOWN_OPTIMIZER_OPTION');
  assert.equal(typeof line['remedy'], 'string');
});

test('a worker started against nothing says so once, then fails with exit code 3', async () => {
  const flags = ['worker', '--coordinator', '127.0.0.1:1', '--join-timeout', '2', '--metrics-port', '0'];
  const { code, stderr } = await runToEnd(flags, place.folder);
  assert.equal(code, 3);
  assert.equal(stderr.split('nobody answers at 127.0.0.1:1 yet').length, 2, stderr);
  assert.match(stderr, /error: no coordinator answered at 127\.0\.0\.1:1 within 2 s.*\[COORDINATOR_UNREACHABLE\]/);
});

test('a coordinator whose workers do not come fails with exit code 3', async () => {
  const flags = [...base.slice(1), '--port', '0', '--join-timeout', '1', '--out', out(), '--log-level', 'warn'];
  assertRefused(await runToEnd(['coordinator', ...flags], place.folder), 3, /only 0 of 2 workers were there for 1 s/);
});

/** The processes that a run started, found by the folder that is on their command lines. */
async function childrenOf(folder: string): Promise<readonly string[]> {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processesWith(folder, all);
}

const isLinux = process.platform === 'linux';

test(
  'the only worker killed: the run ends with its name, exit code 3, and leaves nothing behind',
  { skip: !isLinux },
  async () => {
    const folder = out();
    const run = start(
      [
        ...base,
        '--workers',
        '1',
        '--epochs',
        '100000',
        '--json',
        '--cache-dir',
        place.path('cache-only'),
        '--out',
        folder,
      ],
      place.folder,
    );
    await run.seen(/"type":"step"/);
    const cache = place.path('cache-only');
    const workers = (await childrenOf(cache)).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker-0'),
    );
    assert.equal(workers.length, 1);
    process.kill(Number(workers[0]), 'SIGKILL');
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 3, stderr);
    assert.match(
      stderr,
      /error: worker worker-0-\w+ was lost after step \d+ \(.*\), and no other worker holds.* \[LAST_WORKER_LOST\]/,
    );
    assert.equal(lastLine(stdout)['code'], 'LAST_WORKER_LOST');
    assert.equal(existsSync(join(folder, 'final.safetensors')), false);
    assert.equal(existsSync(join(folder, 'report.json')), false);
    assert.deepEqual(await childrenOf(cache), []);
  },
);

test('Ctrl-C once: stops at a step boundary, saves everything, leaves no process', { skip: !isLinux }, async () => {
  const folder = out();
  const run = start([...base, '--epochs', '100000', '--json', '--out', folder], place.folder);
  await run.seen(/"type":"step","step":1\d,/);
  run.child.kill('SIGINT');
  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 130, stderr);
  const lines = jsonLines(stdout);
  assert.ok(lines.some((line) => line.type === 'stopping'));
  const report = lines.at(-1)!;
  assert.equal(report['outcome'], 'interrupted');
  const steps = report['steps'] as number;
  assert.equal(lines.filter((line) => line.type === 'step').length, steps, 'every finished step was told');
  assert.ok(existsSync(join(folder, 'final.safetensors')));
  assert.deepEqual(
    (JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as { weightsDigest: string }).weightsDigest,
    report['weightsDigest'],
  );
  assert.deepEqual(await childrenOf(folder), []);

  // The step that it stopped after is a whole one: a run of so many steps gives the same weights.
  const again = await runToEnd(
    [...base, '--workers', '1', '--steps', String(steps), '--json', '--out', out()],
    place.folder,
  );
  assert.equal(lastLine(again.stdout)['weightsDigest'], report['weightsDigest']);
});

test('Ctrl-C twice ends at once', { skip: !isLinux }, async () => {
  const folder = out();
  const run = start([...base, '--epochs', '100000', '--json', '--out', folder], place.folder);
  await run.seen(/"type":"step"/);
  run.child.kill('SIGINT');
  run.child.kill('SIGTERM');
  const { code } = await run.ended;
  assert.equal(code, 130);
  assert.deepEqual(await childrenOf(folder), []);
});

test(
  'when `train` is killed, its coordinator and workers end by themselves',
  { skip: !isLinux, timeout: 60_000 },
  async () => {
    const folder = out();
    const cache = place.path(`cache-killed`);
    const run = start([...base, '--epochs', '100000', '--json', '--cache-dir', cache, '--out', folder], place.folder);
    await run.seen(/"type":"step"/);
    const children = [...(await childrenOf(cache)), ...(await childrenOf(folder))].filter(
      (pid) => pid !== String(run.child.pid),
    );
    assert.equal(new Set(children).size, 3, 'a coordinator and two workers');
    run.child.kill('SIGKILL');
    await run.ended; //                                                 its output is closed only when all that inherited it have ended
    while (processesWith(folder, children).length + processesWith(cache, children).length > 0) {
      await new Promise((resolve) => setImmediate(resolve)); //           if they never end, the runner's own limit ends the test
    }
  },
);
