import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadConfig } from '../../../src/config/index.js';
import type { FlagValues } from '../../../src/config/sources.js';
import { inexactBySpec } from '../../../src/coordinator/inexact.js';
import { runSpecOf, type RunInputs } from '../../../src/coordinator/run-spec.js';

const inputs: RunInputs = {
  runId: 'r1',
  model: {} as RunInputs['model'],
  files: [],
  trainLength: 1000,
  testLength: 100,
  hasAccuracy: true,
  init: undefined,
  resume: undefined,
};

function specOf(flags: Record<string, string>, changes: Partial<RunInputs> = {}) {
  const { config } = loadConfig('coordinator', {
    flags: new Map(Object.entries(flags)) as FlagValues,
    environment: {},
    file: undefined,
  });
  return runSpecOf(config, { ...inputs, ...changes });
}

describe('runSpecOf', () => {
  it('with local steps a step is several batches, and none of them crosses the end of an epoch', () => {
    const spec = specOf({ globalBatchSize: '100', epochs: '3', syncEvery: '4' });
    assert.deepEqual(spec.localSteps, { every: 4, outerLearningRate: 0.7, outerMomentum: 0.9 });
    assert.equal(spec.lastStep, 9);
    assert.equal(specOf({ globalBatchSize: '100', steps: '5', syncEvery: '4' }).lastStep, 5);
    assert.equal(specOf({ globalBatchSize: '500', epochs: '2', syncEvery: '64' }).lastStep, 2);
    const perWorker = { batchPerWorker: '100', syncEvery: '4' };
    assert.throws(() => specOf(perWorker), { code: 'LOCAL_STEPS_NEED_FIXED_BATCH', exitCode: 2 });
    assert.equal(specOf({}).localSteps, undefined);
  });

  it('holds samples out of training, and evaluates them', () => {
    const { dataset, globalBatchSize } = specOf({ validationLength: '200', globalBatchSize: 'full' });
    assert.deepEqual([dataset.trainLength, dataset.testLength, dataset.validationLength], [800, 200, 200]);
    assert.equal(globalBatchSize, 800);
    assert.equal('validationLength' in specOf({}).dataset, false);
    assert.throws(() => specOf({ validationLength: '1000' }), { code: 'VALIDATION_TOO_LARGE', exitCode: 2 });
  });

  it('says that a run has no accuracy, and refuses to wait for one', () => {
    const regression = { hasAccuracy: false, model: { name: 'line', loss: 'meanSquaredError' } as RunInputs['model'] };
    assert.equal('hasAccuracy' in specOf({}), false);
    assert.equal(specOf({}, regression).hasAccuracy, false);
    assert.throws(() => specOf({ targetAccuracy: '0.9' }, regression), {
      code: 'NO_ACCURACY',
      message: /^--target-accuracy 0\.9: model line has no accuracy, .* meanSquaredError/,
    });
  });

  it('names a codec only where something is lost', () => {
    assert.equal(specOf({}).codec, undefined);
    assert.deepEqual(specOf({ codec: 'topk', topkRatio: '0.3' }).codec, {
      name: 'topk',
      ratio: 0.3,
      rounding: 'nearest',
    });
  });

  it('says why bits are not the same with other numbers of workers', () => {
    assert.deepEqual(inexactBySpec(specOf({})), {});
    assert.match(inexactBySpec(specOf({ codec: 'int8' })).bitExactReason ?? '', /^codec int8 /);
    const both = inexactBySpec(specOf({ codec: 'bf16', syncEvery: '8' }));
    assert.equal(both.bitExact, false);
    assert.match(both.bitExactReason ?? '', /codec bf16 .*; --sync-every 8 /);
  });

  it('scales learning rate, options and warm-up to the batch', () => {
    const spec = specOf({
      globalBatchSize: '400',
      baseBatchSize: '100',
      learningRateScaling: 'auto',
      optimizer: 'sgd',
    });
    assert.deepEqual([spec.learningRate, spec.warmupSteps], [0.004, 3]); // three steps an epoch; a quarter of it goes
    assert.equal(specOf({ globalBatchSize: '400', baseBatchSize: '100' }).learningRate, 0.001);
    const given = specOf({
      globalBatchSize: '400',
      baseBatchSize: '100',
      learningRateScaling: 'linear',
      warmupSteps: '0',
    });
    assert.equal(given.warmupSteps, 0);
  });
});
