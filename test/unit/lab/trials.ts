import type { TrialRecord } from '../../../src/lab/trial-record.js';

/** A trial that learns as the model of batch sizes says, without training anything. */
export function trialOf(batch: number, more: Partial<TrialRecord> = {}): TrialRecord {
  const evaluations = Array.from({ length: 10 }, (_, i) => {
    const epochs = i + 1;
    const accuracy = 1 - 0.2 / (epochs * (1 / (1 + batch / 100))) / 2;
    const step = Math.round((epochs * 10_000) / batch);
    return { step, epochs, seconds: epochs * (1 + 50 / batch), loss: 0.1, accuracy, testAccuracy: accuracy, batch };
  });
  const last = evaluations.at(-1)!;
  return {
    formatVersion: 1,
    key: `batch ${batch}`,
    axes: { 'global-batch': String(batch) },
    end: 'finished',
    workers: 1,
    globalBatchSize: batch,
    microBatchSize: 1,
    learningRate: 0.1,
    engine: 'wasm',
    trainLength: 10_000,
    parameterCount: 10,
    steps: last.step,
    samples: 100_000,
    seconds: last.seconds,
    computeSeconds: last.seconds / 2,
    stepSeconds: last.seconds,
    weightsDigest: 'abc',
    evaluations,
    ...more,
  };
}
