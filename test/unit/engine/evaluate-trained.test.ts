import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResidentDataset } from '../../../src/data/resident-dataset.js';
import { evaluateTrained } from '../../../src/engine/evaluate-trained.js';
import { buildModelSpec } from '../../../src/engine/models/index.js';

/** What cannot be evaluated is refused before an engine is made. */

const images: ResidentDataset = { length: 1, sampleShape: [32, 32, 3], classes: 10, read: () => assert.fail('read') };

async function refusalOf(change: object, wanted: RegExp): Promise<void> {
  const model = { ...buildModelSpec('mlp'), ...change };
  const trained = { model, tensors: [], microBatchSize: 8, path: 'final.safetensors' };
  await assert.rejects(evaluateTrained(trained, './colours', images, 'wasm'), wanted);
}

test('samples that the model does not take', () =>
  refusalOf({}, /\.\/colours has the shape 32 x 32 x 3, the model takes samples of 28 x 28 x 1/));

test('a loss that only the module of the run knows', () =>
  refusalOf({ loss: 'own' }, /model mlp was trained with a loss of its run's module, which is not here/));
