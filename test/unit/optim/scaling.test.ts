import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { optimizerNames } from '../../../src/optim/registry.js';
import { resolveScaling, scaleToBatch, warmupSteps } from '../../../src/optim/scaling.js';

const close = (actual: unknown, expected: number): void =>
  assert.ok(Math.abs((actual as number) / expected - 1) < 1e-12, `${String(actual)}, expected ${expected}`);

describe('scaling rules', () => {
  it('linear: the rate times k, and nothing else', () => {
    const given = { learningRate: 0.1, options: { momentum: 0.9 } };
    assert.deepEqual(scaleToBatch(given, 'linear', 'momentum', 4), { learningRate: 0.4, options: { momentum: 0.9 } });
    assert.deepEqual(scaleToBatch(given, 'auto', 'sgd', 0.5).learningRate, 0.05);
  });

  it('sqrt for Adam: the rate times the root, betas to the power of k, epsilon over the root', () => {
    const { learningRate, options } = scaleToBatch({ learningRate: 1e-3, options: {} }, 'auto', 'adam', 4);
    close(learningRate, 2e-3);
    close(options['beta1'], 0.9 * 0.9 * 0.9 * 0.9);
    close(options['beta2'], 0.999 ** 4);
    close(options['epsilon'], 5e-9);
    assert.deepEqual(Object.keys(options).sort(), ['beta1', 'beta2', 'epsilon']);
  });

  it('sqrt for RMSprop: rho; its momentum stays, and so does a beta of 0', () => {
    const given = { learningRate: 0.01, options: { rho: 0.9, momentum: 0.5, epsilon: 0 } };
    const { options } = scaleToBatch(given, 'sqrt', 'rmsprop', 2);
    close(options['rho'], 0.81);
    assert.equal(options['momentum'], 0.5);
    assert.equal(options['epsilon'], 0);
    assert.equal(scaleToBatch({ learningRate: 1, options: { beta1: 0 } }, 'sqrt', 'adam', 9).options['beta1'], 0);
  });

  it('beyond the batch that has the largest rate nothing changes any more', () => {
    const given = { learningRate: 0.01, options: {}, learningRateMax: 0.04 };
    const rate = (k: number) => scaleToBatch(given, 'linear', 'momentum', k).learningRate;
    assert.deepEqual([2, 4, 8, 100].map(rate), [0.02, 0.04, 0.04, 0.04]);
    const { learningRateMax: _, ...unbounded } = given;
    assert.deepEqual(scaleToBatch(given, 'sqrt', 'adam', 400), scaleToBatch(unbounded, 'sqrt', 'adam', 16));
    assert.equal(scaleToBatch(given, 'none', 'momentum', 100).learningRate, 0.01);
  });

  it('none, and a batch of the base size, change nothing', () => {
    const given = { learningRate: 0.1, options: { beta1: 0.8 } };
    assert.deepEqual(scaleToBatch(given, 'none', 'adam', 8), given);
    assert.deepEqual(scaleToBatch(given, 'auto', 'adam', 1), given);
    assert.deepEqual(scaleToBatch(given, 'auto', 'adadelta', 8), given);
  });

  it('auto knows every optimizer, and no rule is forced upon one that it does not fit', () => {
    for (const name of optimizerNames) assert.ok(['none', 'linear', 'sqrt'].includes(resolveScaling('auto', name)));
    assert.throws(() => scaleToBatch({ learningRate: 1, options: {} }, 'linear', 'rprop', 2), {
      code: 'SCALING_DOES_NOT_FIT',
      exitCode: 2,
    });
  });

  it('warm-up grows to an epoch with k, and there is none where nothing was raised', () => {
    const steps = (k: number) => warmupSteps('auto', 'sgd', k, 100);
    assert.deepEqual([0.5, 1, 2, 4, 1e9].map(steps), [0, 0, 50, 75, 100]);
    assert.equal(warmupSteps('auto', 'adadelta', 4, 100), 0);
    assert.equal(warmupSteps('none', 'sgd', 4, 100), 0);
  });
});
