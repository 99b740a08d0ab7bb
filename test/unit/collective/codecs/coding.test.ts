import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bf16 } from '../../../../src/collective/codecs/bf16.js';
import { SliceCoding } from '../../../../src/collective/codecs/coding.js';
import { topk } from '../../../../src/collective/codecs/topk.js';
import { randomStream } from '../../../../src/core/random.js';

const key = { step: 1, hop: 'nodes', first: 0, end: 2 } as const;

function pass(coding: SliceCoding, values: Float32Array, place = 'nodes/0'): Float32Array {
  const code = new Uint8Array(coding.byteLength);
  for (const piece of coding.pieces) coding.encode(piece, values, code, key, place);
  const received = new Float32Array(values.length);
  coding.decode(code, received);
  assert.deepEqual(received, values, 'sender and receiver go on with the same values');
  return received;
}

test('loss and counts behind the gradient travel exactly, wherever the slices are cut', () => {
  const parameters = 150_001;
  const random = randomStream(1, 'values');
  const whole = Float32Array.from({ length: parameters + 2 }, () => random.uniform());
  for (const [begin, end] of [
    [0, parameters + 2],
    [65_536, parameters + 2],
    [parameters - 5, parameters + 2],
    [parameters + 1, parameters + 2],
    [0, 70_000],
    [80_000, 80_000],
  ] as const) {
    const received = pass(new SliceCoding(bf16, begin, end, parameters), whole.slice(begin, end));
    for (let i = begin; i < end; i++) {
      const value = received[i - begin]!;
      if (i >= parameters) assert.equal(value, whole[i]);
      else assert.ok(Math.abs(value - whole[i]!) <= whole[i]! / 256);
    }
  }
});

test('each place has a residual of its own, and a skipped step forgets it', () => {
  const coding = new SliceCoding(topk(0.25), 0, 9, 8);
  const given = (): Float32Array => Float32Array.of(4, 3, 2, 1, 4, 3, 2, 1, 0.5);
  assert.deepEqual([...pass(coding, given(), 'a')], [4, 0, 0, 0, 4, 0, 0, 0, 0.5]);
  assert.deepEqual([...pass(coding, given(), 'a')], [0, 6, 0, 0, 0, 6, 0, 0, 0.5]);
  assert.deepEqual([...pass(coding, given(), 'b')], [4, 0, 0, 0, 4, 0, 0, 0, 0.5]);
  coding.forget();
  assert.deepEqual([...pass(coding, given(), 'a')], [4, 0, 0, 0, 4, 0, 0, 0, 0.5]);
});
