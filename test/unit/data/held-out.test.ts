import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedBytes } from '../../../src/data/idx.js';
import type { EncodedImages } from '../../../src/data/encoded-images.js';
import { holdOut } from '../../../src/data/held-out.js';

function images(count: number, first: number): EncodedImages {
  const content = sharedBytes(count * 4);
  const labels = sharedBytes(count);
  for (let i = 0; i < count; i++) {
    content.fill(first + i, i * 4, (i + 1) * 4);
    labels[i] = i % 10;
  }
  return { images: content, labels, count, rows: 2, columns: 2, channels: 1, classes: 10 };
}

test('the last training samples are held out, and come before the test set in what is evaluated', () => {
  const { train, test: evaluated } = holdOut({ train: images(5, 0), test: images(3, 100) }, 2);
  assert.equal(train.count, 3);
  assert.deepEqual([...train.images], [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  assert.equal(evaluated.count, 5);
  assert.deepEqual(
    Array.from({ length: 5 }, (_, i) => evaluated.images[i * 4]),
    [3, 4, 100, 101, 102],
  );
  assert.deepEqual([...evaluated.labels], [3, 4, 0, 1, 2]);
  assert.ok(evaluated.images.buffer instanceof SharedArrayBuffer, 'engine threads share it');
});

test('nothing held out, nothing copied', () => {
  const whole = { train: images(5, 0), test: images(3, 100) };
  assert.equal(holdOut(whole, 0).test, whole.test);
});
