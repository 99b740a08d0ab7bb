import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluateTrained, type TestSamples } from '../../../src/engine/evaluate-trained.js';
import { buildModelSpec } from '../../../src/engine/models/index.js';

/** What cannot be evaluated is refused before an engine is made. */

const images: TestSamples = {
  name: './colours',
  length: 1,
  shape: [32, 32, 3],
  labels: { shape: [], dtype: 'uint8' },
  feed: () => assert.fail('read'),
};

async function refusalOf(change: object, wanted: RegExp): Promise<void> {
  const model = { ...buildModelSpec('mlp'), ...change };
  const trained = { model, tensors: [], microBatchSize: 8, path: 'final.safetensors' };
  await assert.rejects(evaluateTrained(trained, images, 'wasm'), wanted);
}

test('samples that the model does not take', () =>
  refusalOf({}, /\.\/colours has the shape 32 x 32 x 3, the model takes samples of 28 x 28 x 1/));

test('a loss that only the module of the run knows', () =>
  refusalOf({ loss: 'own' }, /model mlp was trained with a loss of its run's module, which is not here/));
