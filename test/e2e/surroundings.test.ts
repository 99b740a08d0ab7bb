import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/core/paths.js';
import { jsonLines, lastLine, runToEnd, slowEngine, workshop } from './lockstep.js';

const place = workshop({ after });
const data = place.smallDataset();
const spec = ['--dataset', data, '--global-batch', '48', '--micro-batch', '12', '--steps', '60'];
const run = ['train', ...spec, '--metrics-port', '0', '--json', '--workers'];

const undisturbed = (async () => {
  const alone = await runToEnd([...run, '1', '--out', place.path('alone')], place.folder);
  return lastLine(alone.stdout)['weightsDigest'];
})();

test('a clock that is set back by an hour changes nothing', async () => {
  const preload = { NODE_OPTIONS: `--import ${new URL('./clock-set-back.js', import.meta.url).href}` };
  const flags = [...run, '2', '--checkpoint-every', '5steps', '--out', place.path('set-back')];
  const { code, stdout, stderr } = await runToEnd(flags, place.folder, preload);
  assert.equal(code, 0, stderr);
  assert.equal(lastLine(stdout)['weightsDigest'], await undisturbed);
  assert.ok((lastLine(stdout)['secondsTotal'] as number) > 0, 'durations come from another clock');
});

/** A file system of its own, seen by nobody else, needs a namespace and the right to mount in it. */
const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', place.folder]).status === 0;
if (!canMount)
  process.stderr.write('disk full and read-only are not tested: no right to mount a small file system here\n');

test('a full disk: training goes on, the end says so, and what was saved is whole', { skip: !canMount }, async () => {
  const lockstep = `"${process.execPath}" "${join(packageRoot, 'bin', 'lockstep.js')}"`;
  const small = place.path('small');
  const checkpoints = join(small, 'run', 'checkpoints');
  const flags = [...run, '2', '--checkpoint-every', '5steps', '--keep', '20', '--out', join(small, 'run')];
  const script = `
    mkdir "${small}" && mount -t tmpfs -o size=3m tmpfs "${small}" || exit 9
    ${lockstep} ${flags.join(' ')} > "${place.path('full.jsonl')}" 2> /dev/null; echo "code $?"
    ls -A "${checkpoints}"
    rm "${checkpoints}"/0000000[0-9].safetensors "${checkpoints}"/0000001?.safetensors
    ${lockstep} train --resume "${join(small, 'run')}" --checkpoint-every off --keep 1 --metrics-port 0 --json`;
  const environment = {
    PATH: process.env['PATH'],
    HOME: place.folder,
    LOCKSTEP_CACHE_DIR: join(place.folder, 'cache'),
    ...slowEngine(3), //                                             checkpoints come faster than the run ends
  };
  const output = execFileSync('unshare', ['-m', 'sh', '-c', script], {
    env: environment,
    encoding: 'utf8',
    cwd: place.folder,
  });
  const [code, ...rest] = output.split('\n');
  assert.equal(code, 'code 1', output);
  const saved = rest.slice(0, rest.indexOf(rest.find((line) => line.startsWith('{'))!));
  assert.ok(saved.length >= 2, output);
  for (const name of saved) assert.match(name, /^\d{8}\.safetensors$/, 'nothing unfinished lies about');
  const told = execFileSync('cat', [place.path('full.jsonl')], { encoding: 'utf8' });
  const lines = jsonLines(told);
  assert.equal(lines.filter(({ type }) => type === 'step').length, 60, 'it trained to the end');
  assert.match(told, /"type":"checkpoint-failed","step":\d+,"reason":"no room to write/);
  assert.equal(lines.at(-1)!['code'], 'DISK_FULL');
  assert.equal(
    lastLine(output.slice(output.indexOf('{')))['weightsDigest'],
    await undisturbed,
    'resumed with more room',
  );
});

test('a read-only file system is named before anything starts', { skip: !canMount }, async () => {
  const lockstep = `"${process.execPath}" "${join(packageRoot, 'bin', 'lockstep.js')}"`;
  const fixed = place.path('fixed');
  const script = `
    mkdir "${fixed}" && mount -t tmpfs tmpfs "${fixed}" && mkdir "${fixed}/empty" && mount -o remount,ro "${fixed}" || exit 9
    for out in "${fixed}/empty" "${fixed}/runs/new"; do ${lockstep} ${run.join(' ')} 1 --out "$out"; echo "code $?"; done`;
  const output = execFileSync('unshare', ['-m', 'sh', '-c', script], {
    env: { PATH: process.env['PATH'], HOME: place.folder, LOCKSTEP_CACHE_DIR: place.path('cache') },
    encoding: 'utf8',
    cwd: place.folder,
  });
  const lines = output.trim().split('\n');
  const words = (out: string) => `cannot write ${fixed}/${out}: EROFS: read-only file system`;
  assert.deepEqual(
    lines.filter((line) => line.startsWith('code')),
    ['code 1', 'code 1'],
  );
  assert.deepEqual(
    lines.flatMap((line) => (line.startsWith('{') ? [(JSON.parse(line) as { message: string }).message] : [])),
    [words('empty'), words('runs/new')],
  );
});
