import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean, nearest } from '../../../src/core/nearest.js';

test('one letter more, less, other or swapped is near', () => {
  const known = ['train', 'coordinator', 'worker', '--micro-batch'];
  for (const [word, meant] of [
    ['trains', 'train'],
    ['trin', 'train'],
    ['brain', 'train'],
    ['trian', 'train'],
    ['WORKER', 'worker'],
    ['cordinater', 'coordinator'],
    ['--microbatch', '--micro-batch'],
  ] as const)
    assert.equal(nearest(word, known), meant, word);
});

test('what is far is not proposed', () => {
  assert.equal(nearest('predict', ['train', 'worker']), undefined);
  assert.equal(nearest('x', []), undefined);
  assert.equal(didYouMean('predict', ['train']), '');
  assert.equal(didYouMean('trian', ['train']), ', did you mean train?');
});
