import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TrialOfEvents } from '../../../src/lab/trial-of-events.js';
import { eventSchema, type EventBody, type PublicEvent } from '../../../src/live/public-events.js';

const facts = {
  workers: 1,
  globalBatchSize: 100,
  microBatchSize: 10,
  learningRate: 0.1,
  trainLength: 1_000,
  parameterCount: 7,
  hasHeldOut: true,
};
const rules = { patience: { samples: 30_000, chance: 0.1 }, secondsMax: 60 };
const event = (sequence: number, body: EventBody): PublicEvent => ({
  schema: eventSchema,
  sequence,
  time: '2026-01-01T00:00:00.000Z',
  run: 'trial',
  ...body,
});
const steps = (firstStep: number, lastStep: number, imagesPerSecond = 1_000, accuracy = 0.9): EventBody => ({
  type: 'steps',
  ...{ firstStep, lastStep, imagesPerSecond, accuracy, epoch: 0, loss: 1, learningRate: 0.1 },
  ...{ globalBatchSize: 100, worldSize: 1 },
});
const evaluation: EventBody = { type: 'evaluation', step: 10, epoch: 1, testLoss: 0.5, testAccuracy: 0.8, best: true };

describe('a trial that runs elsewhere', () => {
  it('is what the events of its run say, each of them once', () => {
    const trial = new TrialOfEvents(facts, rules);
    const finished = { outcome: 'target-reached', steps: 10, testAccuracy: 0.8, weightsDigest: 'abc' };
    const events = [steps(1, 1), steps(2, 10), evaluation, { type: 'finished', ...finished } as const];
    for (const i of [0, 1, 0, 1, 2, 2, 3]) trial.add(event(i + 1, events[i]!));
    const { end, weightsDigest, samples, seconds, evaluations } = trial.outcome(undefined);
    assert.deepEqual([end, weightsDigest, samples, seconds], ['target', 'abc', 1_000, 1]);
    assert.deepEqual(evaluations, [{ step: 10, epochs: 1, seconds: 1, loss: 0.5, accuracy: 0.8, batch: 100 }]);
  });

  it('has looked at the test set where nothing is held out', () => {
    const trial = new TrialOfEvents({ ...facts, hasHeldOut: false }, rules);
    trial.add(event(1, evaluation));
    assert.equal(trial.outcome(undefined).evaluations[0]?.testAccuracy, 0.8);
  });

  it('is to end when it only guesses, or its time is over', () => {
    const guessing = new TrialOfEvents(facts, rules);
    guessing.add(event(1, steps(1, 299, 1_000, 0.1)));
    assert.equal(guessing.isToEnd, undefined);
    guessing.add(event(2, steps(300, 300, 1_000, 0.1)));
    assert.equal(guessing.isToEnd, 'hopeless');
    const slow = new TrialOfEvents(facts, rules);
    slow.add(event(1, steps(1, 60, 100)));
    assert.equal(slow.isToEnd, undefined);
    slow.add(event(2, steps(61, 61, 100)));
    assert.equal(slow.isToEnd, 'time');
    assert.equal(slow.outcome('time').end, 'time');
  });

  it('has diverged if its run says so', () => {
    const trial = new TrialOfEvents(facts, rules);
    trial.add(event(1, { type: 'failed', code: 'NOT_FINITE', message: '', remedy: '' }));
    assert.equal(trial.outcome(undefined).end, 'diverged');
  });
});
