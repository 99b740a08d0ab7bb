/** Events of a small run, as views receive them. */

import type { RunEvent } from '../../../src/core/events.js';

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

export const started: Of<'started'> = {
  type: 'started',
  runId: 'r1',
  out: 'runs/r1',
  model: 'lenet5',
  parameterCount: 44_426,
  hasAccuracy: true,
  engine: 'wasm',
  worldSize: 2,
  globalBatchSize: 256,
  microBatchSize: 32,
  optimizer: 'adam',
  learningRate: 0.002,
  warmupSteps: 0,
  stepsTotal: 470,
  stepsPerEpoch: 235,
  epochsTotal: 2,
};

export function step(number: number, change: Partial<Of<'step'>> = {}): Of<'step'> {
  return {
    type: 'step',
    step: number,
    epoch: Math.floor((number - 1) / 235),
    loss: 0.25,
    accuracy: 0.9,
    learningRate: 0.001,
    globalBatchSize: 256,
    sampleCount: 256,
    worldSize: 2,
    generation: 1,
    gradientNorm: 1.5,
    skipped: false,
    seconds: { compute: 0.01, exchange: 0.002, update: 0.001, wait: 0 },
    imagesPerSecond: 12_800,
    ...change,
  };
}

export const evaluation: Of<'evaluation'> = {
  type: 'evaluation',
  step: 235,
  epoch: 0,
  testLoss: 0.0712,
  testAccuracy: 0.9786,
  best: true,
};

export const result: Of<'result'> = {
  type: 'result',
  formatVersion: 1,
  runId: 'r1',
  outcome: 'finished',
  steps: 470,
  epochs: 2,
  finalLoss: 0.05,
  testLoss: 0.0712,
  bestTestLoss: 0.0712,
  testAccuracy: 0.9851,
  bestTestAccuracy: 0.9851,
  imagesPerSecond: 20_345.6,
  secondsTotal: 83.2,
  worldSize: 2,
  globalBatchSize: 256,
  microBatchSize: 32,
  model: 'lenet5',
  parameterCount: 44_426,
  optimizer: 'adam',
  engine: 'wasm',
  bitExact: true,
  weightsDigest: 'ab'.repeat(32),
  skippedSteps: 0,
  out: 'runs/r1',
};
