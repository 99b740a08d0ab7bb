/** Convolutions with bias, 2x2 max pooling and activation: which kernels, over which arrays. */
import { fault } from '../faults.js';
import type { Picture } from '../layers/source.js';
import type { StageOf } from '../plan/stages.js';
import { spanCode, type Compilation, type Values } from './compilation.js';
import { kernelGradientCode, ownershipFor } from './convolution-weights.js';
import { spanFor } from './dense.js';
import {
  blockingFor,
  blocksOf,
  directConvolutionCode,
  workgroupsOf,
  type DirectConvolution,
} from './direct-convolution.js';
import { activateCode, derivative, nanCode } from './maths.js';
import { range } from './matrix-product.js';
import { sparseBlockingFor, sparseGradientCode, sparseGroups } from './sparse-gradient.js';
import type { GpuArray, KernelSource } from './program.js';

export function compileConvolution(c: Compilation, stage: StageOf<'convolution'>, input: Values): Values {
  const { from, to, window, pooled, activation, useBias, weights, name } = stage;
  const { size, stride, dilation, before } = window;
  const shape = { from: from, to: before_(stage), size, stride, dilation };
  const { gpu } = c.options;
  const blocking = blockingFor(shape, pooled, c.microBatchSize, gpu, c.tuning);
  if (!blocking) throw tooLarge(stage);
  const output = c.values(to[0] * to[1] * to[2], activation);
  const [rows, columns] = blocksOf(shape.to, pooled);
  const words = Math.ceil(to[2] / blocking.filters);
  /** Of each window and each thread's filters: two bits a filter, which of the four won. */
  const winners = pooled ? c.sampleArray(rows * columns * words, 'u32', 'winners') : undefined;
  const kernel = c.offsetOf(weights[0]!);
  const bias = useBias ? `weights[${c.offsetOf(weights[1]!)}u + f]` : '0.0';
  const convolution: DirectConvolution = {
    ...{ ...shape, before, declarations: `${activateCode(activation)}\n${nanCode}` },
    input: `x_in[((sample * ${from[0]}u + y) * ${from[1]}u + x) * ${from[2]}u + c]`,
    weight: `weights[${kernel}u + ((ky * ${size[1]}u + kx) * ${from[2]}u + c) * ${to[2]}u + f]`,
    ...(pooled ? pooledEnd(shape.to, blocking.filters, words, bias) : plainEnd(shape.to, bias)),
  };
  c.forward({
    name: `${name} forward`,
    reads: { x_in: input.out, weights: c.weights },
    writes: winners
      ? { out: { ...output.out, type: typeOf(vectorOf(to[2], blocking.filters)) }, winners }
      : { out: output.out },
    code: directConvolutionCode(convolution, pooled, blocking),
    groups: ({ samples }) => workgroupsOf(shape, pooled, blocking, samples),
  });
  const winner = winners
    ? `(winners[(sample * ${rows * columns}u + w) * ${words}u + f / ${blocking.filters}u] >> (2u * (f % ${blocking.filters}u))) & 3u`
    : '0u';
  c.onBackward(
    ...(input.gradient
      ? [
          sparseInputGradient(c, stage, input, output, winners, winner) ??
            inputGradient(c, stage, input, output, winners, winner),
        ]
      : []),
    ...kernelGradients(c, stage, input, output, winners, blocking.filters),
  );
  return output;
}

/** Positions before pooling. */
function before_({ from, to, window, pooled }: StageOf<'convolution'>): Picture {
  if (!pooled) return to;
  const along = (axis: 0 | 1): number =>
    Math.floor(
      (from[axis] + window.before[axis] + window.after[axis] - (window.size[axis] - 1) * window.dilation[axis] - 1) /
        window.stride[axis],
    ) + 1;
  return [along(0), along(1), to[2]];
}

type Ending = Pick<DirectConvolution, 'store' | 'begin' | 'finish'>;

/** Of four positions the largest, the first of equals, or a NaN, which the sum of the four tells; the bias changes nothing. */
function pooledEnd([height, width, all]: Picture, filters: number, words: number, bias: string): Ending {
  const vector = vectorOf(all, filters);
  const parts = range(filters / vector).map((j) => {
    const values = range(vector).map((k) => `r_${j * vector + k}`);
    const value = vector === 1 ? values[0]! : `vec${vector}f(${values.join(', ')})`;
    return `if (f_first + ${j * vector}u < ${all}u) { out[(window * ${all}u + f_first) / ${vector}u + ${j}u] = ${value}; }`;
  });
  return {
    begin: `
  var word = 0u;
  let window = sample * ${(height >> 1) * (width >> 1)}u + row * ${width >> 1}u + column;
  ${range(filters)
    .map((n) => `var r_${n} = 0.0;`)
    .join('\n')}`,
    store: (n, values) => `
      var best = ${values[0]};
      var at = 0u;
      ${[1, 2, 3].map((b) => `if (${values[b]} > best) { best = ${values[b]}; at = ${b}u; }`).join('\n')}
      if (is_nan((${values[0]} + ${values[1]}) + (${values[2]} + ${values[3]}))) {
        ${[0, 1, 2, 3].map((b) => `if (is_nan(${values[b]})) { best = ${values[b]}; at = ${b}u; }`).join('\n')}
      }
      word |= at << ${2 * n}u;
      r_${n} = activate(best + ${bias});`,
    finish: `${parts.join('\n')}\n  winners[window * ${words}u + f_first / ${filters}u] = word;`,
  };
}

function typeOf(vector: number): string {
  return vector === 1 ? 'f32' : `vec${vector}f`;
}

/** How many neighbouring filters are written at once. */
function vectorOf(all: number, filters: number): 1 | 2 | 4 {
  if (all % 4 === 0 && filters % 4 === 0) return 4;
  return all % 2 === 0 && filters % 2 === 0 ? 2 : 1;
}

function plainEnd(picture: Picture, bias: string): Ending {
  return { store: (_n, values) => eachPosition(picture, (b, at) => `out[${at}] = activate(${values[b]} + ${bias});`) };
}

/** For those of a block's four positions that lie in the picture: channel `f` lies at `at`. */
function eachPosition([height, width, channels]: Picture, make: (b: number, at: string) => string): string {
  return [0, 1, 2, 3]
    .map(
      (b) => `
      if (row * 2u + ${b >> 1}u < ${height}u && column * 2u + ${b & 1}u < ${width}u) {
        let at = ((sample * ${height}u + row * 2u + ${b >> 1}u) * ${width}u + column * 2u + ${b & 1}u) * ${channels}u + f;
        ${make(b, 'at')}
      }`,
    )
    .join('');
}

/** The gradient of the input: a convolution over the gradient, with zeros around, of the kernel turned round. */
function inputGradient(
  c: Compilation,
  stage: StageOf<'convolution'>,
  input: Values,
  output: Values,
  winners: GpuArray | undefined,
  winner: string,
): KernelSource {
  const { from, window, pooled, weights, name } = stage;
  const { size, stride, dilation, before } = window;
  const to = before_(stage);
  const kernel = c.offsetOf(weights[0]!);
  const reads = {
    ...{ g: output.gradient!, weights: c.weights, ...(winners ? { winners } : {}) },
    ...(input.activation === 'linear' ? {} : { x: input.out }),
  };
  const at = (inside: string): string => (pooled ? inside : '');
  const [rows, columns] = blocksOf(to, pooled);
  const gradient = pooled
    ? `unpooled(sample, y, x, c)`
    : `g[((sample * ${to[0]}u + y) * ${to[1]}u + x) * ${to[2]}u + c]`;
  const declarations = at(`
fn unpooled(sample: u32, y: u32, x: u32, f: u32) -> f32 {
  if (y >= ${rows * 2}u || x >= ${columns * 2}u) { return 0.0; }
  let w = (y / 2u) * ${columns}u + x / 2u;
  if ((${winner}) != (y % 2u) * 2u + x % 2u) { return 0.0; }
  return g[(sample * ${rows * columns}u + w) * ${to[2]}u + f];
}`);
  const shape = {
    ...{ from: to, to: from, size, stride: [1, 1] as const, dilation },
    before: [0, 1].map((a) => (size[a]! - 1) * dilation[a]! - before[a]!) as unknown as readonly [number, number],
  };
  const { microBatchSize } = c;
  const { gpu } = c.options;
  const blocking =
    stride[0] === 1 && stride[1] === 1 ? blockingFor(shape, false, microBatchSize, gpu, c.tuning) : undefined;
  const weight = (f: string, channel: string, ky: string, kx: string): string =>
    `weights[${kernel}u + ((${ky} * ${size[1]}u + ${kx}) * ${from[2]}u + ${channel}) * ${to[2]}u + ${f}]`;
  const source = { name: `${name} backward`, reads, writes: { to: input.gradient! } };
  const [sizeY, sizeX] = size;
  if (blocking) {
    const convolution: DirectConvolution = {
      ...{ ...shape, declarations, input: gradient },
      weight: weight('c', 'f', `(${sizeY - 1}u - ky)`, `(${sizeX - 1}u - kx)`),
      store: (_n, values) =>
        eachPosition(from, (b, at) => `to[${at}] = ${derivative(input.activation, values[b]!, `x[${at}]`)};`),
    };
    return {
      ...source,
      code: directConvolutionCode(convolution, false, blocking),
      groups: ({ samples }) => workgroupsOf(shape, false, blocking, samples),
    };
  }
  // With strides few of the patches of neighbours overlap: each element looks for its own.
  const elements = from[0] * from[1] * from[2];
  return {
    ...source,
    code: `
${declarations}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = id.x;
  let sample = id.y;
  if (at >= ${elements}u || sample >= batch.samples) { return; }
  let channel = at % ${from[2]}u;
  let column = (at / ${from[2]}u) % ${from[1]}u;
  let line = at / ${from[1] * from[2]}u;
  var sum = 0.0;
  for (var ky = 0u; ky < ${sizeY}u; ky++) {
    let y_ = i32(line + ${before[0]}u) - i32(ky * ${dilation[0]}u);
    if (y_ < 0 || y_ % ${stride[0]} != 0 || y_ / ${stride[0]} >= ${to[0]}) { continue; }
    for (var kx = 0u; kx < ${sizeX}u; kx++) {
      let x_ = i32(column + ${before[1]}u) - i32(kx * ${dilation[1]}u);
      if (x_ < 0 || x_ % ${stride[1]} != 0 || x_ / ${stride[1]} >= ${to[1]}) { continue; }
      let y = u32(y_) / ${stride[0]}u;
      let x = u32(x_) / ${stride[1]}u;
      for (var c = 0u; c < ${to[2]}u; c++) {
        sum = fma(${gradient}, ${weight('c', 'channel', 'ky', 'kx')}, sum);
      }
    }
  }
  let own = sample * ${elements}u + at;
  to[own] = ${derivative(input.activation, 'sum', 'x[own]')};
}`,
    groups: ({ samples }) => [Math.ceil(elements / 64), samples, 1],
  };
}

const manyPictures = 512;

/** The same behind pooling, for many pictures of few windows each. */
function sparseInputGradient(
  c: Compilation,
  stage: StageOf<'convolution'>,
  input: Values,
  output: Values,
  winners: GpuArray | undefined,
  winner: string,
): KernelSource | undefined {
  const { from, window, weights, name } = stage;
  const { size, stride, dilation, before } = window;
  const isPlain = [...stride, ...dilation].every((d) => d === 1);
  if (!winners || !isPlain || c.microBatchSize < (c.tuning.sparseFrom ?? manyPictures)) return undefined;
  const to = before_(stage);
  const shape = { from, to, size, before };
  const blocking = sparseBlockingFor(shape);
  if (!blocking) return undefined;
  const type = typeOf(blocking.vector);
  const [rows, columns] = blocksOf(to, true);
  return {
    name: `${name} backward`,
    reads: {
      ...{ g: output.gradient!, weights: c.weights, winners },
      ...(input.activation === 'linear' ? {} : { x: { ...input.out, type } }),
    },
    writes: { to: { ...input.gradient!, type } },
    code: sparseGradientCode(
      {
        ...{ ...shape, winner, derived: derivative(input.activation, 'sum', 'x[at]', `${type}()`) },
        gradient: `g[(sample * ${rows * columns}u + w) * ${to[2]}u + f]`,
        weight: `weights[${c.offsetOf(weights[0]!)}u + ((ky * ${size[1]}u + kx) * ${from[2]}u + c) * ${to[2]}u + f]`,
      },
      blocking,
    ),
    groups: ({ samples }) => sparseGroups(shape, blocking, samples),
  };
}

function kernelGradients(
  c: Compilation,
  stage: StageOf<'convolution'>,
  input: Values,
  output: Values,
  winners: GpuArray | undefined,
  perWord: number,
): KernelSource[] {
  const { from, window, pooled, useBias, weights, name } = stage;
  const wanted = { kernel: c.isTrained(weights[0]!), bias: useBias && c.isTrained(weights[1]!) };
  if (!wanted.kernel && !wanted.bias) return [];
  const { size, stride, dilation, before } = window;
  const shape = { from, to: before_(stage), size, stride, dilation, before, pooled };
  const ownership = ownershipFor(shape, c.options.gpu, c.tuning);
  if (!ownership) throw tooLarge(stage);
  const [rows, columns] = pooled ? blocksOf(shape.to, true) : shape.to;
  const filters = shape.to[2];
  const length = (wanted.kernel ? size[0] * size[1] * from[2] * filters : 0) + (wanted.bias ? filters : 0);
  const groups = Math.ceil(ownership.owners / ownership.perGroup);
  const span = spanFor(c, groups, 1, length);
  const sums = c.partialSums(c.offsetOf(weights[wanted.kernel ? 0 : 1]!), length, span);
  const gradient = `g[(sample * ${rows * columns}u + w) * ${filters}u + f]`;
  const words = Math.ceil(filters / perWord);
  const won = winners && { words, perWord, word: `winners[(sample * ${rows * columns}u + w) * ${words}u + part]` };
  return [
    {
      name: `${name} weights`,
      reads: { x_in: input.out, g: output.gradient!, ...(winners ? { winners } : {}) },
      writes: { sums: sums.array },
      code: [
        spanCode(sums.parts, span),
        kernelGradientCode({ ...shape, gradient, winners: won, wanted }, ownership, length),
      ].join('\n'),
      groups: ({ samples, microBatch }) => [Math.ceil(samples / microBatch) * sums.parts, groups, 1],
    },
  ];
}

function tooLarge({ name }: StageOf<'convolution'>): Error {
  const reason = 'its kernel or its picture is too large for the workgroups of this GPU';
  return fault('LAYER_UNSUPPORTED', { layer: name, className: 'Conv2D', reason });
}
