/** `import { train } from 'lockstep'`: runs from a program are those of the command line, and leave the process as it was. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, test } from 'node:test';

import { packageRoot } from '../../src/core/paths.js';
import { tf } from '../../src/engine/tensorflow.js';
import { userTensorFlow } from '../../src/engine/user-tensorflow.js';
import { data, LockstepError, readSafetensors, train, type ProgramRun, type RunEvent } from '../../src/index.js';
import { processesWith, runToEnd, workshop } from '../e2e/lockstep.js';
import { reportOf } from '../e2e/results.js';

const place = workshop({ after });
const module = pathToFileURL(join(packageRoot, 'examples', 'csv-regression', 'run.mjs'));
const settings = { globalBatchSize: 32, microBatchSize: 8, steps: 40, learningRate: 0.01, threads: 1 } as const;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect', 'message', 'exit', 'uncaughtException'];
const listeners = (): number[] => signals.map((name) => process.listenerCount(name));

/** Nothing of a run is left in this machine's processes. */
function assertOver(out: string): void {
  if (process.platform !== 'linux') return;
  const all = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid));
  assert.deepEqual(processesWith(out, all), []);
}

/** 128 points of a plane. @param slope - of it */
function plane(slope: number): ProgramRun['data'] {
  const x = Float32Array.from({ length: 256 }, (_, i) => ((i * 37) % 64) / 64);
  const y = Float32Array.from({ length: 128 }, (_, i) => slope * x[2 * i]! - x[2 * i + 1]!);
  return { train: data.arrays({ x: { values: x, shape: [2] }, y: { values: y, shape: [1] } }) };
}
const line: ProgramRun['model'] = ({ tf: { sequential, layers } }) =>
  sequential({ layers: [layers.dense({ inputShape: [2], units: 4, activation: 'tanh' }), layers.dense({ units: 1 })] });

test('a module by its URL: the digest of the command line, each step among the events, weights, and no trace in the process', async () => {
  const before = listeners();
  const cacheDir = place.path('cache');
  const run = train(module, { ...settings, workers: 3, out: place.path('by-url'), cacheDir });
  const kinds = new Map<string, number>();
  for await (const { type } of run) kinds.set(type, (kinds.get(type) ?? 0) + 1);
  const { report, weights } = await run.result;
  assert.deepEqual([kinds.get('step'), kinds.get('result'), report.outcome], [40, 1, 'finished']);
  assert.deepEqual(listeners(), before);
  assertOver(cacheDir);
  const flags = [
    '--global-batch',
    '32',
    '--micro-batch',
    '8',
    '--steps',
    '40',
    '--lr',
    '0.01',
    '--json',
    '--metrics-port',
    '0',
  ];
  const out = place.path('by-hand');
  const args = ['train', 'examples/csv-regression/run.mjs', ...flags, '--workers', '1', '--out', out];
  args[1] = join(packageRoot, args[1]!);
  assert.equal(reportOf(await runToEnd(args, place.folder))['weightsDigest'], report.weightsDigest);
  assert.deepEqual(weights, (await readSafetensors(join(out, 'final.safetensors'))).tensors);
});

test('two runs side by side, on 1 and 3 workers: each has the digest that it has alone', async () => {
  const digest = async (slope: number, workers: number, name: string): Promise<string> => {
    const run = { model: line, data: plane(slope), loss: 'meanSquaredError' } as const;
    const { report } = await train(run, { ...settings, workers, out: place.path(name) }).result;
    return report.weightsDigest;
  };
  const together = await Promise.all([digest(2, 1, 'two-1'), digest(3, 3, 'three-3')]);
  assert.deepEqual([await digest(2, 3, 'two-3'), await digest(3, 1, 'three-1')], together);
  assert.notEqual(together[0], together[1]);
});

test('a layers model: it begins with the weights that it has, and stays as it is', async () => {
  const model = userTensorFlow.sequential({ layers: [userTensorFlow.layers.dense({ inputShape: [2], units: 1 })] });
  const [kernel] = model.getWeights().map((weight) => weight.dataSync<'float32'>());
  const still = { ...settings, workers: 1, steps: 1, optimizer: 'sgd', learningRate: 1e-30 } as const;
  const run = train({ model, data: plane(2), loss: 'meanSquaredError' }, { ...still, out: place.path('layers') });
  const { weights } = await run.result;
  assert.deepEqual(weights.find(({ name }) => name.endsWith('.kernel'))!.data, Float32Array.from(kernel!));
  assert.ok((model.predict(tf.zeros([1, 2])) as tf.Tensor).dataSync()[0] === 0, 'it can be used');
});

test('a built-in model and a folder: those of the flags', async () => {
  const folder = place.smallDataset();
  const { report } = await train({ model: 'mlp', data: folder }, { ...settings, steps: 3, out: place.path('built-in') })
    .result;
  const args = [
    'train',
    '--model',
    'mlp',
    '--dataset',
    folder,
    '--global-batch',
    '32',
    '--micro-batch',
    '8',
    '--steps',
    '3',
  ];
  const rest = ['--lr', '0.01', '--json', '--metrics-port', '0', '--out', place.path('by-flags'), '--workers', '1'];
  assert.equal(reportOf(await runToEnd([...args, ...rest], place.folder))['weightsDigest'], report.weightsDigest);
});

test('a signal ends it after the step in hand, saved; it can be gone on with', async () => {
  const controller = new AbortController();
  const out = place.path('aborted');
  const cacheDir = place.path('cache-aborted');
  const run = train(module, { ...settings, steps: 600, workers: 2, out, cacheDir, signal: controller.signal });
  const seen: RunEvent[] = [];
  for await (const event of run) {
    seen.push(event);
    if (event.type === 'step' && event.step === 10) controller.abort();
  }
  const { report, weights } = await run.result;
  assert.equal(report.outcome, 'interrupted');
  assert.ok(
    report.steps >= 10 && report.steps < 600 && weights.length === 6 && existsSync(join(out, 'final.safetensors')),
  );
  assert.ok(seen.some(({ type }) => type === 'stopping'));
  assertOver(cacheDir);
  const resumed = await train(module, { resume: out, workers: 1 }).result;
  const whole = await train(module, { ...settings, steps: 600, workers: 3, out: place.path('whole') }).result;
  assert.deepEqual([resumed.report.outcome, resumed.report.steps], ['finished', 600]);
  assert.equal(resumed.report.weightsDigest, whole.report.weightsDigest);
});

test('what goes wrong on the way rejects the result, and nothing is left running', async () => {
  const path = place.path('hangs.mjs');
  const set = `{ length: 64, x: { shape: [2], dtype: 'float32' }, y: { shape: [1], dtype: 'float32' }, read }`;
  writeFileSync(
    path,
    `const read = async (indices) => {
  if (indices.includes(63) && indices[0] > 0) await new Promise(() => {});
  return { x: new Float32Array(indices.length * 2), y: new Float32Array(indices.length) };
};
export default {
  model: ({ tf }) => tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1 })] }),
  data: { train: ${set} },
  loss: 'meanSquaredError',
  readTimeoutSeconds: 1,
};`,
  );
  const cacheDir = place.path('cache-hangs');
  const run = train(path, { ...settings, workers: 2, out: place.path('hangs'), cacheDir });
  await assert.rejects(run.result, (error) => error instanceof LockstepError && error.code === 'DATASET_READ_HUNG');
  assertOver(cacheDir);
});

test('the program in docs/own-model.md runs as printed, and ends by itself', async () => {
  const documented = readFileSync(join(packageRoot, 'docs', 'own-model.md'), 'utf8');
  const [, program] = /```js\n\/\/ program\.mjs\n([\s\S]*?)```/.exec(documented)!;
  mkdirSync(place.path('node_modules'));
  symlinkSync(packageRoot, place.path('node_modules/lockstep'), 'dir');
  writeFileSync(place.path('program.mjs'), program!);
  const { stdout, stderr, error } = await new Promise<{ stdout: string; stderr: string; error: Error | null }>(
    (resolve) =>
      execFile(process.execPath, ['program.mjs'], { cwd: place.folder, timeout: 120_000 }, (failure, out, err) =>
        resolve({ error: failure, stdout: out, stderr: err }),
      ),
  );
  assert.deepEqual([error, stderr], [null, '']);
  const lines = stdout.trim().split('\n');
  assert.equal(lines.length, 11, stdout); //                           ten epochs, then the result
  assert.match(lines[10]!, /^[0-9a-f]{64} dense_Dense\d+\.kernel \[3,1\], dense_Dense\d+\.bias \[1\]$/);
  assert.ok(Number(lines[9]!.split(' ')[1]) < Number(lines[0]!.split(' ')[1]) / 4, 'it learns');
});
