import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { EvaluationRecord, RunReport, StepRecord } from '../../../src/core/events.js';
import { RunFolder } from '../../../src/store/run-folder.js';

function stepRecord(step: number, loss = 2 / step): StepRecord {
  return {
    step,
    epoch: 0,
    loss,
    accuracy: 1 - 1 / (step + 1),
    learningRate: 0.01,
    globalBatchSize: 256,
    sampleCount: 256,
    worldSize: 2,
    generation: 1,
    gradientNorm: 1,
    skipped: !Number.isFinite(loss),
    seconds: { compute: 0.1, exchange: 0.01, update: 0.001, wait: 0 },
  };
}

const evaluation: EvaluationRecord = { step: 40, epoch: 0, testLoss: 0.06, testAccuracy: 0.98, best: true };

const report: RunReport = {
  formatVersion: 1,
  runId: '<script>',
  outcome: 'finished',
  steps: 40,
  epochs: 1,
  finalLoss: 0.05,
  testLoss: 0.0712,
  bestTestLoss: 0.0712,
  testAccuracy: 0.98,
  bestTestAccuracy: 0.98,
  imagesPerSecond: 12_345.6,
  secondsTotal: 3.21,
  worldSize: 2,
  globalBatchSize: 256,
  microBatchSize: 32,
  model: 'lenet5',
  parameterCount: 44_426,
  optimizer: 'adam',
  engine: 'wasm',
  bitExact: true,
  weightsDigest: 'abc',
  skippedSteps: 0,
  out: '/runs/x',
};

describe('RunFolder', () => {
  let parent = '';
  beforeEach(async () => void (parent = await mkdtemp(join(tmpdir(), 'lockstep-run-'))));
  afterEach(() => rm(parent, { recursive: true }));

  it('holds what design says a run leaves behind', async () => {
    const folder = await RunFolder.create({ path: join(parent, 'runs', 'one') });
    await folder.writeSpec({ seed: 7 });
    await folder.appendToJournal({ generation: 1 });
    for (let step = 1; step <= 3; step++) folder.appendMetrics(stepRecord(step));
    folder.appendMetrics(evaluation);
    const tensors = [{ name: 'w', shape: [2], data: Float32Array.of(1, 2) }];
    await folder.writeCheckpoint(3, { tensors, metadata: { step: '3' } });
    await folder.writeBest({ tensors, metadata: {} });
    await folder.writeBest({ tensors, metadata: {} });
    assert.equal(await folder.writeFinal({ tensors, metadata: {} }), join(folder.path, 'final.safetensors'));
    await writeFile(folder.logPath('worker-1'), '');
    folder.appendEvent({ type: 'started' });
    await folder.writeReport(report);
    await folder.writePicture('<!doctype html>', { version: 1 });
    await folder.close();

    assert.deepEqual((await readdir(folder.path, { recursive: true })).sort(), [
      'best.safetensors',
      'checkpoints',
      join('checkpoints', '00000003.safetensors'),
      'events.jsonl',
      'final.safetensors',
      'journal.jsonl',
      'logs',
      join('logs', 'worker-1.jsonl'),
      'metrics.jsonl',
      'picture.json',
      'report.html',
      'report.json',
      'spec.json',
    ]);
    const json = async (name: string) => JSON.parse(await readFile(join(folder.path, name), 'utf8')) as unknown;
    assert.deepEqual(await json('spec.json'), { seed: 7 });
    assert.deepEqual(await json('report.json'), report);
    assert.deepEqual(await json('picture.json'), { version: 1 });
    assert.deepEqual(await json('events.jsonl'), { type: 'started' });
    const lines = (await readFile(join(folder.path, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as unknown),
      [stepRecord(1), stepRecord(2), stepRecord(3), evaluation],
    );
  });

  it('takes an empty folder, and no other', async () => {
    const path = join(parent, 'out');
    await mkdir(path);
    const folder = await RunFolder.create({ path });
    await folder.close();
    await assert.rejects(RunFolder.create({ path }), {
      code: 'OUT_NOT_EMPTY',
      exitCode: 2,
      message: `--out ${path} is not empty: it holds checkpoints`,
    });
    await writeFile(join(parent, 'file'), '');
    await assert.rejects(RunFolder.create({ path: join(parent, 'file') }), {
      code: 'NOT_WRITABLE',
      message: /cannot write .*file: E/,
    });
    await assert.rejects(RunFolder.create({ path: join(parent, 'file', 'out') }), { code: 'NOT_WRITABLE' });
  });

  it('goes to one of two runs that want it at the same time', async () => {
    const path = join(parent, 'contested');
    const results = await Promise.allSettled([1, 2, 3].map(() => RunFolder.create({ path })));
    const folders = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    assert.equal(folders.length, 1);
    for (const result of results)
      if (result.status === 'rejected') assert.equal((result.reason as { code: string }).code, 'OUT_NOT_EMPTY');
    await folders[0]!.close();
  });

  it('has a journal entry on the disk when it says so, and entries in order', async () => {
    const folder = await RunFolder.create({ path: join(parent, 'out') });
    const read = async () => (await readFile(join(folder.path, 'journal.jsonl'), 'utf8')).split('\n');
    await folder.appendToJournal({ n: 0 });
    assert.deepEqual(await read(), ['{"n":0}', '']);
    await Promise.all([1, 2, 3].map((n) => folder.appendToJournal({ n })));
    assert.deepEqual(await read(), ['{"n":0}', '{"n":1}', '{"n":2}', '{"n":3}', '']);
    await folder.close();
  });

  it('holds metrics back until they are many or asked for', async () => {
    const folder = await RunFolder.create({ path: join(parent, 'out') });
    const count = async () => (await readFile(join(folder.path, 'metrics.jsonl'), 'utf8')).split('\n').length - 1;
    folder.appendMetrics(stepRecord(1));
    assert.equal(await count(), 0);
    await folder.flushMetrics();
    assert.equal(await count(), 1);
    for (let step = 2; step <= 1000; step++) folder.appendMetrics(stepRecord(step));
    await folder.close();
    assert.equal(await count(), 1000);
  });
});
