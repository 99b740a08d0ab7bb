/**
 * Speed of the codecs, one thread: nanoseconds an element to encode (own values replaced, residual kept) and to decode, and
 * bytes on the wire a float.
 *
 *     npm run build && node dist/bench/codecs.js [floats, default 1048576] [rounds, default 9]
 */
import { bf16 } from '../src/collective/codecs/bf16.js';
import type { Codec } from '../src/collective/codecs/codec.js';
import { SliceCoding } from '../src/collective/codecs/coding.js';
import { int8 } from '../src/collective/codecs/int8.js';
import { topk } from '../src/collective/codecs/topk.js';
import { randomStream } from '../src/core/random.js';

const floats = Number(process.argv[2] ?? 1 << 20);
const rounds = Number(process.argv[3] ?? 9);
const random = randomStream(1, 'bench');
const source = Float32Array.from({ length: floats }, () => random.uniform() - 0.5);
const cases: readonly (readonly [string, Codec])[] = [
  ['bf16', bf16],
  ['int8 nearest', int8('nearest', 1)],
  ['int8 stochastic', int8('stochastic', 1)],
  ['topk 1 %', topk(0.01)],
];

for (const [name, codec] of cases) {
  const coding = new SliceCoding(codec, 0, floats, floats);
  const values = new Float32Array(floats);
  const code = new Uint8Array(coding.byteLength);
  const encodeMs: number[] = [];
  const decodeMs: number[] = [];
  for (let step = 1; step <= rounds; step++) {
    values.set(source);
    const beginMs = performance.now();
    for (const piece of coding.pieces)
      coding.encode(piece, values, code, { step, hop: 'nodes', first: 0, end: 1 }, 'nodes/0');
    const encodedMs = performance.now();
    coding.decode(code, values);
    encodeMs.push(encodedMs - beginMs);
    decodeMs.push(performance.now() - encodedMs);
  }
  const perElement = (times: number[]): string => ((median(times) / floats) * 1e6).toFixed(2).padStart(6);
  const bytes = (coding.byteLength / floats).toFixed(3);
  console.log(
    `${name.padEnd(16)} encode ${perElement(encodeMs)} ns  decode ${perElement(decodeMs)} ns  ${bytes} bytes a float`,
  );
}

function median(times: number[]): number {
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}
