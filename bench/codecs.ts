/**
 * Speed of the codecs, one thread: nanoseconds an element to encode (own values replaced, residual kept) and to decode, and
 * bytes on the wire a float; with the compute kernels and in plain JavaScript.
 *
 *     npm run build && node dist/bench/codecs.js [floats, default 1048576] [rounds, default 9]
 */
import { createCodec } from '../src/collective/codecs/registry.js';
import { plainVectors, Workspace } from '../src/collective/workspace.js';
import { createArena } from '../src/core/arena.js';
import { arenaVectors } from '../src/engine/arena-vectors.js';
import { fastestKernels } from '../src/engine/fastest-kernels.js';
import type { LossyCodec } from '../src/core/run-spec.js';
import { randomStream } from '../src/core/random.js';
import { median } from '../src/measure/exchange-figures.js';

const floats = Number(process.argv[2] ?? 1 << 20);
const rounds = Number(process.argv[3] ?? 9);
const random = randomStream(1, 'bench');
const source = Float32Array.from({ length: floats }, () => random.uniform() - 0.5);
const plain = { ratio: 0.1, rounding: 'nearest' } as const;
const cases: readonly (readonly [string, LossyCodec])[] = [
  ['bf16', { ...plain, name: 'bf16' }],
  ['int8 nearest', { ...plain, name: 'int8' }],
  ['int8 stochastic', { ...plain, name: 'int8', rounding: 'stochastic' }],
  ['topk 10 %', { ...plain, name: 'topk' }],
];

const arena = createArena();
const inArena = arenaVectors(arena, await fastestKernels(arena));
const sets = [
  ['kernels', inArena],
  ['JavaScript', plainVectors],
] as const;

for (const [[name, codecSpec], [by, vectors]] of cases.flatMap((c) => sets.map((set) => [c, set] as const))) {
  const codec = createCodec(codecSpec, 1, new Workspace(vectors))!;
  const values = vectors.allocate(floats);
  const encoded = vectors.allocate(Math.ceil(codec.byteLength(floats) / 4));
  const code = new Uint8Array(encoded.buffer, encoded.byteOffset, codec.byteLength(floats));
  const encodeMs: number[] = [];
  const decodeMs: number[] = [];
  for (let step = 1; step <= rounds; step++) {
    values.set(source);
    const beginMs = performance.now();
    const round = { generation: 1, step, purpose: 'gradient' } as const;
    codec.encode(values, { kind: 'nodes', round, span: { first: 0, end: 1 }, begin: 0 }, code);
    const encodedMs = performance.now();
    codec.decode(code, values);
    encodeMs.push(encodedMs - beginMs);
    decodeMs.push(performance.now() - encodedMs);
  }
  const perElement = (times: number[]): string => ((median(times) / floats) * 1e6).toFixed(2).padStart(6);
  const bytes = (codec.byteLength(floats) / floats).toFixed(3);
  console.log(
    `${name.padEnd(16)} ${by.padEnd(10)} encode ${perElement(encodeMs)} ns  decode ${perElement(decodeMs)} ns  ${bytes} bytes a float`,
  );
}
