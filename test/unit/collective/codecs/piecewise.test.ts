import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CodedPlace } from '../../../../src/collective/codec.js';
import { createCodec } from '../../../../src/collective/codecs/registry.js';
import { randomStream } from '../../../../src/core/random.js';

const spec = { ratio: 0.25, rounding: 'nearest' } as const;
const placeAt = (step: number, change: Partial<CodedPlace> = {}): CodedPlace => ({
  kind: 'nodes',
  round: { generation: 1, step, purpose: 'gradient' },
  span: { first: 0, end: 2 },
  begin: 0,
  ...change,
});

function pass(codec: ReturnType<typeof createCodec> & object, values: Float32Array, place: CodedPlace): Float32Array {
  const code = new Uint8Array(codec.byteLength(values.length));
  codec.encode(values, place, code);
  const received = new Float32Array(values.length);
  codec.decode(code, received);
  assert.deepEqual(received, values, 'sender and receiver go on with the same values');
  return received;
}

test('vectors of several pieces keep their values in place', () => {
  const random = randomStream(1, 'values');
  for (const length of [0, 1, 65_535, 65_536, 65_537, 200_001]) {
    const given = Float32Array.from({ length }, () => random.uniform());
    const received = pass(createCodec({ ...spec, name: 'bf16' }, 1)!, given.slice(), placeAt(1));
    received.forEach((value, i) => assert.ok(Math.abs(value - given[i]!) <= given[i]! / 256));
  }
});

test('each node, slice and hop has a residual of its own, which the next step takes up, and forgetting ends', () => {
  const codec = createCodec({ ...spec, name: 'topk' }, 1)!;
  const given = (): Float32Array => Float32Array.of(4, 3, 2, 1);
  const first = [4, 0, 0, 0];
  for (const change of [{}, { span: { first: 2, end: 3 } }, { begin: 4 }, { kind: 'sum' }] as const)
    assert.deepEqual([...pass(codec, given(), placeAt(1, change))], first);
  for (const change of [{}, { span: { first: 2, end: 3 } }, { begin: 4 }, { kind: 'sum' }] as const)
    assert.deepEqual([...pass(codec, given(), placeAt(2, change))], [0, 6, 0, 0]);
  codec.forget();
  assert.deepEqual([...pass(codec, given(), placeAt(3))], first);
});

test('where nothing is lost there is no codec', () => assert.equal(createCodec(undefined, 1), undefined));
