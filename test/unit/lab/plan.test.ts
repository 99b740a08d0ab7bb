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
import { sideBySideOf, slowestOf } from '../../../src/lab/side-by-side.js';
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
    near(stepSeconds(measured, 4, 256, 2), 2 * (0.0064 + 0.001) + 0.003 + 0.003);
  });

  it('is one of S_min (1 + B_crit / B), and of its own number where the noise scale is not known', () => {
    assert.equal(stepsWith(measured, 256), 300);
    assert.equal(stepsWith(measured, 512), 200);
    assert.equal(stepsWith({ ...measured, noiseScale: undefined }, 512), 300);
    assert.equal(stepsWith({ ...measured, stepsToTarget: undefined }, 256), 1);
  });
});

describe('workers that share a machine', () => {
  const step = (compute: number) => ({ compute, wait: 0, exchange: 0.0005, update: 0.0015 });
  const cold = step(9);
  const found = sideBySideOf(
    [
      [cold, step(0.01), step(0.01), step(0.01)],
      [cold, step(0.01), step(0.01), step(0.03)],
    ],
    100,
  );

  it('compute as two runs side by side do, once these are warm', () => {
    near(found.secondsPerSample, 0.08 / 6 / 100);
    near(found.secondsPerStep, 0.002);
    near(found.spread.reduce((sum, time) => sum + time, 0) / found.spread.length, 1);
  });

  it('wait for the slowest of a step', () => {
    near(slowestOf(found.spread, 1), 1);
    // Five steps of six take 0.01 s and one 0.03 s: of two, neither is slow 25 times in 36.
    near(slowestOf(found.spread, 2) * (0.08 / 6), (25 * 0.01 + 11 * 0.03) / 36);
    const shared = { ...measured, sideBySide: { ...found, secondsPerSample: 2e-4 } };
    near(stepSeconds(shared, 2, 256, 2), 128 * 2e-4 * slowestOf(found.spread, 2) + 0.002 + 0.001 + 0.002);
    near(stepSeconds(shared, 2, 256), stepSeconds(measured, 2, 256));
    near(stepSeconds(shared, 1, 256, 2), stepSeconds(measured, 1, 256, 2));
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
