/**
 * The gradient of a convolution's kernel and bias in WGSL.
 *
 * Behind 2x2 pooling only one position in four has a gradient: each pooled gradient says where its largest was, and goes to the
 * patch there. A thread owns some neighbouring elements of the kernel for one filter, in registers, and a workgroup goes
 * through all pictures of a part; so nothing is added in an order that depends on who is first.
 */
import { range } from './matrix-product.js';
import type { Pair, Picture } from '../layers/source.js';
import type { Tuning } from './compilation.js';

export interface KernelGradient {
  readonly from: Picture;
  /** Positions and filters, before any pooling. */
  readonly to: Picture;
  readonly size: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly before: Pair;
  readonly pooled: boolean;
  /** WGSL: the gradient of window or position `w` and filter `f` of `sample`. */
  readonly gradient: string;
  /** Which of a window's four positions won, two bits a filter. */
  readonly winners:
    | {
        readonly words: number;
        /** Filters of a word. */
        readonly perWord: number;
        /** WGSL: word `part` of window `w` of `sample`, u32. */
        readonly word: string;
      }
    | undefined;
  /** Whether the kernel and the bias are trained. */
  readonly wanted: { readonly kernel: boolean; readonly bias: boolean };
}

export interface Ownership {
  /** Elements of a segment: neighbours along the kernel's rows. */
  readonly length: number;
  /** Segments of one row of the kernel, or of one of its elements where it is dilated. */
  readonly segments: number;
  /** Owners in all: filters, times rows, times segments. */
  readonly owners: number;
  /** Owners in a workgroup. */
  readonly perGroup: number;
  /** Threads that share an owner's windows. */
  readonly lanes: number;
  /** Rows of windows at a time. */
  readonly rows: number;
  /** Floats that are read at a time. */
  readonly vector: 1 | 2 | 4;
}

const longestSegment = 100;

export function ownershipFor(
  { from, to, size, stride, dilation, pooled }: Omit<KernelGradient, 'gradient' | 'winners' | 'wanted'>,
  limits: { readonly workgroupBytes: number; readonly workgroupThreads: number },
  tuning: Tuning,
): Ownership | undefined {
  const channels = from[2];
  const vector = channels % 4 === 0 ? 4 : channels % 2 === 0 ? 2 : 1;
  const whole = dilation[1] === 1 ? size[1] * channels : channels;
  const parts = Math.ceil(whole / Math.min(tuning.segment ?? longestSegment, longestSegment));
  const length = Math.ceil(whole / parts / vector) * vector;
  const segments = (dilation[1] === 1 ? 1 : size[1]) * parts;
  const owners = to[2] * size[0] * segments;
  const maxThreads = Math.min(256, limits.workgroupThreads);
  const perGroup = Math.min(owners, maxThreads);
  const lanes = Math.max(1, Math.floor(maxThreads / perGroup));
  const budget = Math.min(limits.workgroupBytes, 32_768) / 4;
  const shape = { from, to, size, stride, dilation, pooled };
  for (let rows = windowsOf(shape)[0]; rows >= 1; rows = rows === 1 ? 0 : Math.ceil(rows / 2)) {
    const floats = tileFloats(shape, rows, vector) + 2 * rows * windowsOf(shape)[1] * to[2] + perGroup * lanes + 128;
    if (floats <= budget) return { length, segments, owners, perGroup, lanes, rows, vector };
  }
  return undefined;
}

type Geometry = Pick<KernelGradient, 'from' | 'to' | 'size' | 'stride' | 'dilation' | 'pooled'>;

function windowsOf({ to, pooled }: Pick<Geometry, 'to' | 'pooled'>): Pair {
  return pooled ? [to[0] >> 1, to[1] >> 1] : [to[0], to[1]];
}

/** Rows and columns of the picture, with zeros around, under `rows` rows of windows. */
function extent({ to, size, stride, dilation, pooled }: Geometry, rows: number): Pair {
  const block = pooled ? 2 : 1;
  const columns = windowsOf({ to, pooled })[1] * block;
  return [
    (rows * block - 1) * stride[0] + (size[0] - 1) * dilation[0] + 1,
    (columns - 1) * stride[1] + (size[1] - 1) * dilation[1] + 1,
  ];
}

/** A segment may reach over the end of a row, which no one looks at, and so of the tile. */
function tileFloats(shape: Geometry, rows: number, vector: number): number {
  const [height, width] = extent(shape, rows);
  return Math.ceil((height * width * shape.from[2]) / vector) * vector + longestSegment + 4;
}

/** @param size - of a part: elements of the kernel and of the bias that are trained */
export function kernelGradientCode(work: KernelGradient, ownership: Ownership, size: number): string {
  const { from, to, stride, dilation, before, pooled, gradient, wanted } = work;
  const { words, perWord, word } = work.winners ?? { words: to[2], perWord: 1, word: '0u' };
  const { length, segments, owners, perGroup, lanes, rows, vector } = ownership;
  const [windowRows, windowColumns] = windowsOf(work);
  const [height, width] = extent(work, rows);
  const [, , channels] = from;
  const filters = to[2];
  const threads = perGroup * lanes;
  const block = pooled ? 2 : 1;
  const type = vector === 1 ? 'f32' : `vec${vector}f`;
  const parts = length / vector;
  const tile = tileFloats(work, rows, vector) / vector;
  const kernelSize = work.size[0] * work.size[1] * channels;
  const isDilated = dilation[1] !== 1;
  const perTap = isDilated ? segments / work.size[1] : segments;
  const limit = isDilated ? channels : work.size[1] * channels;
  const [down, across] = [stride[0] * width * channels, stride[1] * channels].map((step) => step / vector);
  /** The gradient of filter n of a word, and where in the picture it goes to. */
  const place = (n: number): string => `
        if (f_first + ${n}u < ${filters}u) {
          g_tile[w * ${filters}u + f_first + ${n}u] = gradient_at(sample, w_in_picture, f_first + ${n}u);
          at_tile[w * ${filters}u + f_first + ${n}u] = at + ((won >> ${2 * n + 1}u) & 1u) * ${down}u + ((won >> ${2 * n}u) & 1u) * ${across}u;
        }`;
  const pieces = range(vector)
    .map((i) => `picture_at(sample, y, at + ${i}u)`)
    .join(', ');
  return `
var<workgroup> x_tile: array<${type}, ${tile}>;
var<workgroup> g_tile: array<f32, ${rows * windowColumns * filters}>;
var<workgroup> at_tile: array<u32, ${rows * windowColumns * filters}>;
var<workgroup> shares: array<f32, ${threads}>;
fn picture_at(sample: u32, y: i32, at: u32) -> f32 {
  let x = i32(at / ${channels}u) - ${before[1]};
  if (y < 0 || y >= ${from[0]} || x < 0 || x >= ${from[1]}) { return 0.0; }
  return x_in[((sample * ${from[0]}u + u32(y)) * ${from[1]}u + u32(x)) * ${channels}u + at % ${channels}u];
}
fn gradient_at(sample: u32, w: u32, f: u32) -> f32 { return ${gradient}; }
fn word_at(sample: u32, w: u32, part: u32) -> u32 { return ${word}; }
/** The sum over the lanes of an owner, for the first of them. */
fn shared_sum(thread: u32, value: f32) -> f32 {
  ${
    lanes === 1
      ? 'return value;'
      : `
  workgroupBarrier();
  shares[thread] = value;
  workgroupBarrier();
  var sum = value;
  if (thread < ${perGroup}u) { for (var lane = 1u; lane < ${lanes}u; lane++) { sum += shares[thread + lane * ${perGroup}u]; } }
  return sum;`
  }
}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let samples = span_of(group.x);
  let lane = thread / ${perGroup}u;
  let owner = min(group.y * ${perGroup}u + thread % ${perGroup}u, ${owners - 1}u);
  let is_owner = group.y * ${perGroup}u + thread % ${perGroup}u < ${owners}u && lane == 0u;
  let f = owner % ${filters}u;
  let ky = (owner / ${filters}u) % ${work.size[0]}u;
  let segment = owner / ${filters * work.size[0]}u;
  let tap = segment / ${perTap}u;
  let within = (segment % ${perTap}u) * ${length}u;
  let own_at = (ky * ${dilation[0] * width * channels}u + tap * ${dilation[1] * channels}u + within) / ${vector}u;
  ${range(parts)
    .map((j) => `var s_${j} = ${type}();`)
    .join('\n')}
  var bias = 0.0;
  for (var sample = samples.x; sample < samples.y; sample++) {
    for (var first = 0u; first < ${windowRows}u; first += ${rows}u) {
      let count = min(${rows}u, ${windowRows}u - first) * ${windowColumns}u;
      workgroupBarrier();
      for (var e = thread; e < ${(height * width * channels) / vector}u; e += ${threads}u) {
        let y = i32(first * ${block * stride[0]}u + (e * ${vector}u) / ${width * channels}u) - ${before[0]};
        let at = (e * ${vector}u) % ${width * channels}u;
        x_tile[e] = ${vector === 1 ? pieces : `${type}(${pieces})`};
      }
      for (var e = thread; e < count * ${words}u; e += ${threads}u) {
        let w = e / ${words}u;
        let part = e % ${words}u;
        let w_in_picture = first * ${windowColumns}u + w;
        let won = word_at(sample, w_in_picture, part);
        let y = (w / ${windowColumns}u) * ${block}u;
        let x = (w % ${windowColumns}u) * ${block}u;
        let at = (y * ${stride[0]}u * ${width}u + x * ${stride[1]}u) * ${channels}u / ${vector}u;
        let f_first = part * ${perWord}u;
        ${range(perWord)
          .map((n) => place(n))
          .join('\n')}
      }
      workgroupBarrier();
      for (var w = lane; w < count; w += ${lanes}u) {
        let g = g_tile[w * ${filters}u + f];
        let at = at_tile[w * ${filters}u + f] + own_at;
        bias += g;
        ${range(parts)
          .map((j) => `s_${j} = fma(${type}(g), x_tile[at + ${j}u], s_${j});`)
          .join('\n')}
      }
    }
  }
  let base = group.x * ${size}u;
  ${
    wanted.bias
      ? `{ let sum = shared_sum(thread, bias);
  if (is_owner && ky == 0u && segment == 0u) { sums[base + ${wanted.kernel ? kernelSize * filters : 0}u + f] = sum; } }`
      : ''
  }
  ${
    wanted.kernel
      ? range(length)
          .map((n) => {
            const value = vector === 1 ? `s_${n}` : `s_${Math.floor(n / vector)}[${n % vector}]`;
            return `{ let sum = shared_sum(thread, ${value});
  if (is_owner && within + ${n}u < ${limit}u) {
    sums[base + ((ky * ${work.size[1]}u + tap) * ${channels}u + within + ${n}u) * ${filters}u + f] = sum;
  } }`;
          })
          .join('\n')
      : ''
  }
}`;
}
