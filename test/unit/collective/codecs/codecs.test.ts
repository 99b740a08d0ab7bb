import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bf16 } from '../../../../src/collective/codecs/bf16.js';
import type { PieceCodec, PieceKey } from '../../../../src/collective/codecs/codec.js';
import { int8 } from '../../../../src/collective/codecs/int8.js';
import type { CodecKernels } from '../../../../src/collective/codecs/kernels.js';
import { createArena } from '../../../../src/core/arena.js';
import { codecKernels } from '../../../../src/engine/codec-kernels.js';
import { loadWasmKernels } from '../../../../src/engine/kernels.js';
import { bindNative, nativeStatus } from '../../../../src/engine/native-kernels.js';
import { topk } from '../../../../src/collective/codecs/topk.js';

const key: PieceKey = { step: 3, hop: 'nodes', first: 0, end: 4, element: 1024 };
const codecs: readonly (readonly [string, PieceCodec])[] = [
  ['bf16', bf16()],
  ['int8 nearest', int8('nearest', 7)],
  ['int8 stochastic', int8('stochastic', 7)],
  ['topk', topk(0.1)],
];

/** @returns what a receiver decodes, and what the sender goes on with */
function roundTrip(codec: PieceCodec, given: Float32Array, residual?: Float32Array, at = key) {
  const own = given.slice();
  const bytes = new Uint8Array(codec.bytesFor(given.length)).fill(0xee);
  codec.encode(own, bytes, at, residual);
  const received = new Float32Array(given.length).fill(99);
  codec.decode(bytes, received);
  return { own, received, bytes };
}

const vector = fc.float32Array({ maxLength: 600, noNaN: true, noDefaultInfinity: true, min: -(2 ** 90), max: 2 ** 90 });

const arena = createArena();
const kernels = codecKernels(await loadWasmKernels(arena), arena);
const native = nativeStatus();
const kernelsByName = new Map([['wasm', kernels]]);
if (native.available)
  for (const [i, name] of native.addon.variants.entries())
    kernelsByName.set(name, codecKernels(bindNative(native.addon, arena, i), arena));

/** The codec with kernels, and whether they did all of the work. */
function withKernels(make: (kernels: CodecKernels) => PieceCodec, inner: CodecKernels): PieceCodec {
  return make({
    run: (work) => {
      assert.ok(inner.run(work), 'its vectors are in the arena');
      return true;
    },
  });
}

const made: readonly (readonly [string, (kernels?: CodecKernels) => PieceCodec])[] = [
  ['bf16', bf16],
  ['int8 nearest', (k) => int8('nearest', 7, k)],
  ['int8 stochastic', (k) => int8('stochastic', 7, k)],
];
const [inArena, codeInArena, lostInArena] = [arena.float32(600), arena.uint8(2400), arena.float32(600)];
/** NaN is NaN, whatever its bits are: a step with one is skipped. */
const numbersOf = (values: Float32Array): number[] => [...values].map((v) => (Number.isNaN(v) ? NaN : v));

for (const [engine, available] of kernelsByName)
  for (const [name, make] of made)
    test(`${name}: kernels for ${engine} give the bits of plain JavaScript`, () => {
      const plainly = make();
      const quickly = withKernels(make, available);
      const any = fc.float32Array({ maxLength: 600 });
      const small = fc.float32Array({ maxLength: 600, min: -3, max: 3, noNaN: true });
      fc.assert(
        fc.property(fc.oneof(any, small, vector), fc.nat(5000), fc.boolean(), (given, step, keeps) => {
          const at = { ...key, step, element: step * 8 };
          const lost = Float32Array.from(given, (v, i) => (Number.isFinite(v) ? v / (i + 2) : 0));
          const expected = { values: given.slice(), lost: lost.slice() };
          const code = new Uint8Array(plainly.bytesFor(given.length));
          plainly.encode(expected.values, code, at, keeps ? expected.lost : undefined);
          const values = inArena.subarray(0, given.length);
          const bytes = codeInArena.subarray(0, code.length);
          const left = lostInArena.subarray(0, given.length);
          values.set(given);
          left.set(lost);
          bytes.fill(0xee);
          quickly.encode(values, bytes, at, keeps ? left : undefined);
          assert.deepEqual(numbersOf(values), numbersOf(expected.values));
          assert.deepEqual(numbersOf(left), numbersOf(expected.lost));
          if (values.every(Number.isFinite)) assert.deepEqual(Uint8Array.from(bytes), code);
          values.fill(99);
          quickly.decode(bytes, values);
          plainly.decode(code, expected.values);
          assert.deepEqual(numbersOf(values), numbersOf(expected.values));
        }),
        { seed: 4, numRuns: 150 },
      );
    });

test('kernels leave alone what they cannot reach', () => {
  const values = Float32Array.of(1.001, 2);
  assert.equal(kernels.run({ what: 'bf16-encode', values, bytes: codeInArena.subarray(0, 4) }), false);
  const { own } = roundTrip(bf16(kernels), values);
  assert.equal(own[0], 1);
});

const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, 0, values.length);

for (const [name, codec] of codecs) {
  test(`${name}: the sender goes on with the bits that receivers decode, whatever its values are`, () => {
    const any = fc.float32Array({ maxLength: 600 });
    fc.assert(
      fc.property(any, (given) => {
        const { own, received, bytes } = roundTrip(codec, given);
        for (const [i, value] of own.entries()) assert.ok(Object.is(value, received[i]) || value === received[i]);
        assert.equal(bytes.byteLength % 4, 0);
      }),
      { seed: 1 },
    );
  });

  test(`${name}: one value that is not finite leaves one`, () => {
    for (const damaged of [NaN, Infinity, -Infinity, -NaN]) {
      const given = Float32Array.from({ length: 700 }, (_, i) => (i === 401 ? damaged : i - 350));
      assert.ok(!roundTrip(codec, given).received.every(Number.isFinite));
    }
  });

  test(`${name}: the same values under the same key give the same bytes`, () => {
    fc.assert(
      fc.property(vector, (given) => assert.deepEqual(roundTrip(codec, given).bytes, roundTrip(codec, given).bytes)),
      { seed: 2, numRuns: 30 },
    );
  });

  test(`${name}: zeros stay zeros, and no float needs no byte`, () => {
    assert.ok(roundTrip(codec, new Float32Array(300)).received.every((v) => v === 0));
    assert.equal(codec.bytesFor(0), 0);
    roundTrip(codec, new Float32Array(0));
  });
}

test('every NaN of bf16 stays one, also where rounding would carry', () => {
  const bits = Uint32Array.of(0x7fffffff, 0xffffffff, 0x7f800001, 0xff80ffff, 0x7fc00000);
  const { received } = roundTrip(bf16(), new Float32Array(bits.buffer));
  assert.ok(received.every(Number.isNaN));
});

test('bf16 rounds to nearest, ties to even, with a relative error of at most 2^-8', () => {
  const bits = Uint32Array.of(0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff, 0xbf818000);
  const { received } = roundTrip(bf16(), new Float32Array(bits.buffer));
  assert.deepEqual([...bitsOf(received)], [0x3f800000, 0x3f820000, 0x3f810000, 0x3f800000, 0xbf820000]);
  fc.assert(
    fc.property(vector, (given) => {
      const { received: rounded } = roundTrip(bf16(), given);
      for (const [i, value] of given.entries()) {
        const bound = Math.max(Math.abs(value) * 2 ** -8, 2 ** -134); // where floats are denormal, half of their step
        assert.ok(Math.abs(rounded[i]! - value) <= bound);
      }
    }),
    { seed: 3 },
  );
});

for (const [rounding, share] of [
  ['nearest', 0.5],
  ['stochastic', 1],
] as const) {
  test(`int8 ${rounding} is off by ${share} of its block's scale at most`, () => {
    fc.assert(
      fc.property(vector, (given) => {
        const { received } = roundTrip(int8(rounding, 7), given);
        for (let begin = 0; begin < given.length; begin += 256) {
          const block = given.subarray(begin, begin + 256);
          const scale = Math.max(...block.map(Math.abs)) / 127;
          const tolerance = share * scale * (1 + 1e-4) + 2e-38; //  below the smallest scale a block is zeros
          for (const [i, value] of block.entries()) assert.ok(Math.abs(received[begin + i]! - value) <= tolerance);
        }
      }),
      { seed: 4 },
    );
  });
}

test('stochastic rounding is right on average, and draws anew for each step, hop, node and element', () => {
  const codec = int8('stochastic', 11);
  const given = Float32Array.from({ length: 256 }, (_, i) => (i === 0 ? 127 : 0.3)); // the scale is 1
  let sum = 0;
  for (let step = 1; step <= 200; step++) {
    const { received } = roundTrip(codec, given, undefined, { ...key, step });
    sum += received.subarray(1).reduce((a, b) => a + b, 0);
  }
  assert.ok(Math.abs(sum / (200 * 255) - 0.3) < 0.01); //           standard error 0.002
  const bytesAt = (change: Partial<PieceKey>) => [...roundTrip(codec, given, undefined, { ...key, ...change }).bytes];
  const changes: Partial<PieceKey>[] = [{ step: 4 }, { hop: 'sum' }, { first: 2 }, { end: 8 }, { element: 2048 }];
  for (const change of changes) assert.notDeepEqual(bytesAt(change), bytesAt({}), JSON.stringify(change));
  assert.notDeepEqual([...roundTrip(int8('stochastic', 12), given).bytes], bytesAt({}));
});

test('topk keeps the largest magnitudes, the first of equal ones, and no more', () => {
  const given = Float32Array.of(1, -5, 2, 5, -5, 0.5, 3, -2, 0, 4);
  assert.deepEqual([...roundTrip(topk(0.2), given).received], [0, -5, 0, 5, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...roundTrip(topk(0.3), given).received], [0, -5, 0, 5, -5, 0, 0, 0, 0, 0]);
  assert.deepEqual([...roundTrip(topk(1), given).received], [...given]);
  assert.equal(roundTrip(topk(0.001), given).received.filter((v) => v !== 0).length, 1);
  fc.assert(
    fc.property(vector, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, ratio) => {
      const kept = Math.min(values.length, Math.max(1, Math.floor(values.length * ratio)));
      const magnitudes = [...values.map(Math.abs)].sort((a, b) => b - a).slice(0, kept);
      const received = [...roundTrip(topk(ratio), values).received.map(Math.abs)].sort((a, b) => b - a);
      assert.deepEqual(received.slice(0, kept), magnitudes);
      assert.ok(received.slice(kept).every((v) => v === 0));
    }),
    { seed: 5 },
  );
});

test('with error feedback nothing is lost for good: what was sent and what waits add up to what was given', () => {
  for (const codec of [int8('nearest', 7), int8('stochastic', 7), topk(0.05)]) {
    assert.ok(codec.hasErrorFeedback);
    const residual = new Float32Array(300);
    const sent = new Float64Array(300);
    const given = new Float64Array(300);
    for (let step = 1; step <= 40; step++) {
      const values = Float32Array.from({ length: 300 }, (_, i) => ((i * 37 + step * 11) % 101) / 64 - 0.75); // exact sums
      values.forEach((value, i) => (given[i]! += value));
      roundTrip(codec, values, residual, { ...key, step }).received.forEach((value, i) => (sent[i]! += value));
    }
    for (let i = 0; i < 300; i++) assert.ok(Math.abs(given[i]! - sent[i]! - residual[i]!) < 1e-3);
  }
});
