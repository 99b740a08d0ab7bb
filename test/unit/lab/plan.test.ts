import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  diminishingFrom,
  plan,
  predictionFor,
  stepSeconds,
  stepsWith,
  type Measured,
} from '../../../src/lab/plan/predict.js';
import { cellsOf, seriesOf } from '../../../src/lab/summary.js';
import { trialOf } from './trials.js';

const measured: Measured = {
  trainLength: 60_000,
  globalBatchSize: 256,
  microBatchSize: 32,
  learningRate: 0.1,
  optimizer: { name: 'sgd', options: {} },
  scaling: 'auto',
  secondsPerSample: 1e-4,
  secondsPerStep: 1e-3,
  exchangeSeconds: 3e-3,
  latencySeconds: 1e-3,
  noiseScale: 512,
  stepsToTarget: 300,
  target: 0.98,
};
const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual / expected - 1) < 1e-9, `${actual}, not ${expected}`);

describe('a step that nobody has taken', () => {
  it('is the largest share, what is beside, and the exchange', () => {
    near(stepSeconds(measured, 1, 256), 0.0256 + 0.001);
    near(stepSeconds(measured, 2, 256), 0.0128 + 0.001 + 0.001 + 0.002);
    near(stepSeconds(measured, 4, 256), 0.0064 + 0.001 + 0.003 + 0.003);
    near(stepSeconds(measured, 3, 256), 0.0096 + 0.001 + 0.002 + 0.002 * (4 / 3));
  });

  it('cannot be shorter than one micro-batch, and workers that share cores take turns', () => {
    near(stepSeconds(measured, 64, 256), 0.0032 + 0.001 + 0.063 + 0.002 * (126 / 64));
    near(stepSeconds(measured, 4, 256, 2), 2 * (0.0064 + 0.001 + 0.003 + 0.003));
  });

  it('is one of S_min (1 + B_crit / B), and of its own number where the noise scale is not known', () => {
    assert.equal(stepsWith(measured, 256), 300);
    assert.equal(stepsWith(measured, 512), 200);
    assert.equal(stepsWith({ ...measured, noiseScale: undefined }, 512), 300);
    assert.equal(stepsWith({ ...measured, stepsToTarget: undefined }, 256), 1);
  });
});

describe('workers that share a machine', () => {
  const shared = { ...measured, sharedExchangeSeconds: 6e-3 };

  it('exchange as slowly as two that compute were seen to', () => {
    near(stepSeconds(shared, 2, 256, 2), 0.0128 + 0.001 + 0.006);
    near(stepSeconds(shared, 2, 128, 2), 0.0064 + 0.001 + 0.006);
    near(stepSeconds(shared, 4, 256, 2), 2 * (0.0064 + 0.001 + 2 * (0.003 + 0.003)));
  });

  it('are no matter to one worker, and to those that have machines of their own', () => {
    near(stepSeconds(shared, 1, 256, 2), stepSeconds(measured, 1, 256));
    near(stepSeconds(shared, 2, 256), stepSeconds(measured, 2, 256));
  });
});

describe('a plan', () => {
  const predictions = plan(measured, [1, 2, 4, 8, 16, 32, 64]);

  it('takes larger batches with more workers, and the learning rate with them', () => {
    const batches = predictions.map(({ batch }) => batch);
    assert.deepEqual(
      batches,
      batches.toSorted((a, b) => a - b),
    );
    assert.ok(batches.at(-1)! > 2 * batches[0]!, batches.join());
    for (const { batch, learningRate } of predictions) near(learningRate, (0.1 * batch) / 256);
  });

  it('never takes a batch with which another would be sooner', () => {
    for (const { workers, seconds } of predictions)
      for (const batch of [32, 64, 128, 256, 512, 1024, 2048])
        assert.ok(predictionFor(measured, workers, batch).seconds >= seconds * (1 - 1e-12));
  });

  it('says from where on twice the workers save little', () => {
    const at = (...seconds: number[]) =>
      diminishingFrom(seconds.map((s, i) => ({ ...predictions[0]!, workers: 2 ** i, seconds: s })));
    assert.equal(at(100, 60, 40, 39), 4);
    assert.equal(at(100, 99), 1);
    assert.equal(at(100, 60, 40), 4);
  });
});

describe('cells whose batch follows the workers', () => {
  it('are one curve; cells that differ in the workers alone are several', () => {
    const workers = (batch: number, count: number) => trialOf(batch, { axes: { workers: String(count) } });
    const followed = cellsOf([workers(128, 1), workers(256, 2), workers(512, 4)], []);
    assert.equal(seriesOf(followed).length, 1);
    const same = cellsOf([workers(128, 1), workers(128, 2)], []);
    assert.equal(seriesOf(same).length, 2);
  });
});
