import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Resumption } from '../../../src/coordinator/resumption.js';
import { runStoreIn } from '../../../src/coordinator/run-store.js';
import type { EvaluationRecord, StepRecord } from '../../../src/core/events.js';
import { layoutOf } from '../../../src/core/layout.js';
import type { RunSpec } from '../../../src/core/run-spec.js';
import { RunFolder } from '../../../src/store/run-folder.js';

const layout = layoutOf([{ name: 'dense.bias', shape: [2] }]);
const spec: RunSpec = {
  formatVersion: 1,
  runId: 'r1',
  model: { name: 'mlp', topology: { layers: [1, 2] }, inputScaling: { scale: 1, mean: 0, deviation: 1 } },
  dataset: { files: [{ role: 'train-images', sha256: 'aa', bytes: 9 }], trainLength: 100, testLength: 10 },
  init: { sha256: 'ff', bytes: 1 },
  seed: 1,
  shuffle: 'epoch',
  globalBatchSize: 10,
  microBatchSize: 5,
  dropLast: false,
  topology: 'auto',
  checksum: false,
  engine: 'auto',
  lastStep: 30,
  optimizer: { name: 'adam', options: { beta1: 0.9 } },
  learningRate: 0.1,
  learningRateSchedule: 'constant',
  warmupSteps: 0,
  evaluateEvery: { every: 10, unit: 'step' },
  checkpointEvery: { every: 5, unit: 'step' },
  maxSkippedSteps: 10,
};
const { init: _unused, ...resumed } = { ...spec, resume: { sha256: 'ee', bytes: 2 } };

const stepRecord = (step: number): StepRecord => ({
  step,
  epoch: Math.floor((step - 1) / 10),
  loss: 1 / step,
  accuracy: 0.5,
  learningRate: 0.1,
  globalBatchSize: 10,
  sampleCount: 10,
  worldSize: 2,
  generation: 1,
  gradientNorm: 1,
  skipped: step === 3,
  seconds: { compute: 1, wait: 0, exchange: 0, update: 0 },
});
const evaluation: EvaluationRecord = { step: 10, epoch: 0, testLoss: 1, testAccuracy: 0.75, best: true };
const refuse = (): never => assert.fail('nothing is damaged');

const freeze = () => ({ page: '', picture: {} });

describe('Resumption', () => {
  let path = '';
  beforeEach(async () => {
    path = join(await mkdtemp(join(tmpdir(), 'lockstep-resumption-')), 'run');
    const folder = await RunFolder.create({ path });
    const store = runStoreIn(folder, spec, layout, { keep: 2, resumedStep: undefined, journal: undefined, freeze });
    await store.appendJournal({ kind: 'term', term: 3, seconds: 0 });
    const generation = { term: 4, number: 7 };
    const begin = { kind: 'begin', generation, members: [], shares: [], donor: 0, afterStep: 0, lastStep: 30 } as const;
    await store.appendJournal({ ...begin, seconds: 0 });
    for (let step = 1; step <= 13; step++) {
      store.appendMetrics(stepRecord(step));
      if (step === 10) store.appendMetrics(evaluation);
      const state = {
        description: JSON.stringify({ step }),
        vectors: [{ name: 'weights', values: new Float32Array(2) }],
      };
      if (step % 5 === 0) await store.saveCheckpoint(step, state, step / 4);
    }
    await folder.close();
  });
  afterEach(() => rm(join(path, '..'), { recursive: true }));

  it('takes up what the run did until the checkpoint, and forgets the rest', async () => {
    const resumption = await Resumption.find(path, refuse);
    assert.equal(resumption.checkpoint.step, 10);
    resumption.check(resumed);
    const { folder, earlier } = await resumption.open();
    assert.deepEqual([earlier.term, earlier.seconds, earlier.record.recordedStep], [4, 2.5, 10]);
    assert.deepEqual(earlier.record.summary(), {
      epochs: 1,
      finalLoss: 0.1,
      testLoss: 1,
      bestTestLoss: 1,
      testAccuracy: 0.75,
      bestTestAccuracy: 0.75,
      imagesPerSecond: 10,
      skippedSteps: 1,
    });
    const steps: number[] = [];
    for await (const { step } of folder.metricsSoFar()) steps.push(step);
    assert.deepEqual(steps, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]);
    await assert.rejects(Resumption.find(path, refuse), { code: 'RUN_IN_USE' });
    await folder.close();
    await resumption.release();
    assert.deepEqual(
      (await readdir(path)).filter((name) => name.startsWith('lock')),
      [],
    );
  });

  it('keeps the checkpoint that it came from while workers may ask for it', async () => {
    const resumption = await Resumption.find(path, refuse);
    const { folder } = await resumption.open();
    const store = runStoreIn(folder, resumed, layout, {
      keep: 1,
      resumedStep: resumption.checkpoint.step,
      journal: undefined,
      freeze,
    });
    const state = { description: '{}', vectors: [{ name: 'weights', values: new Float32Array(2) }] };
    for (const step of [15, 20]) await store.saveCheckpoint(step, state, 1);
    const names = (): Promise<string[]> => readdir(join(path, 'checkpoints'));
    assert.deepEqual((await names()).sort(), ['00000010.safetensors', '00000020.safetensors']);
    await folder.keepCheckpoints(1);
    assert.deepEqual(await names(), ['00000020.safetensors']);
    await folder.close();
  });

  it('refuses what decides about the bits, by name, and an earlier end', async () => {
    const resumption = await Resumption.find(path, refuse);
    resumption.check({ ...resumed, lastStep: 50, maxSkippedSteps: 3, checkpointEvery: { every: 1, unit: 'epoch' } });
    const files = [{ role: 'train-images', sha256: 'ab', bytes: 9 }] as const;
    const refused: [Partial<RunSpec>, RegExp][] = [
      [{ seed: 2 }, /^the run cannot be resumed: its seed was 1 and is now 2$/],
      [{ dataset: { ...spec.dataset, files } }, /its train-images of the data set was aa and is now ab$/],
      [{ dataset: { ...spec.dataset, testLength: 11 } }, /its testLength was 10/],
      [{ model: { ...spec.model, topology: { layers: [1, 3] } } }, /its model was \{"name":"mlp"/],
      [{ optimizer: { name: 'adam', options: {} } }, /its optimizer was .*beta1.* and is now /],
      [{ clipNorm: 1 }, /its clipNorm was nothing and is now 1$/],
    ];
    for (const [change, message] of refused)
      assert.throws(() => resumption.check({ ...resumed, ...change }), { code: 'RESUME_CHANGED', message });
    const { evaluateEvery: _gone, ...without } = resumed;
    assert.throws(() => resumption.check(without as RunSpec), {
      message: /its evaluateEvery was \{"every":10,"unit":"step"\} and is now nothing$/,
    });
    assert.throws(() => resumption.check({ ...resumed, lastStep: 29 }), { code: 'RESUME_SHORTER' });
    await resumption.release();
  });

  it('warns of a later end where the schedule ends with the run', async () => {
    const resumption = await Resumption.find(path, refuse);
    const warned = (learningRateSchedule: string, lastStep: number): boolean =>
      resumption.warning({ ...resumed, learningRateSchedule, lastStep }) !== undefined;
    assert.equal(warned('cosine', 31), true);
    assert.equal(warned('one-cycle:rise=0.2', 31), true);
    assert.equal(warned('cosine', 30), false, 'the same end');
    assert.equal(warned('step:every=2epochs', 31), false, 'it counts from the beginning');
    assert.equal(warned('constant', 31), false);
    await resumption.release();
  });

  it('knows a run that is over from one that was interrupted', async () => {
    const report = { steps: 10, outcome: 'finished' };
    const outcomeWith = async (change: object, lastStep: number): Promise<boolean> => {
      await writeFile(join(path, 'report.json'), JSON.stringify({ ...report, ...change }));
      const again = await Resumption.find(path, refuse);
      await again.release();
      return again.finished({ ...resumed, lastStep }) !== undefined;
    };
    assert.equal(await outcomeWith({}, 10), true);
    assert.equal(await outcomeWith({}, 11), false, 'a later end');
    assert.equal(await outcomeWith({ outcome: 'target-reached' }, 11), true, 'the target is reached all the same');
    assert.equal(await outcomeWith({ outcome: 'interrupted' }, 30), false);
    assert.equal(await outcomeWith({ steps: 13 }, 10), false, 'the report is of another state');
  });
});
