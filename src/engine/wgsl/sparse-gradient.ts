/**
 * The gradient of a convolution's input behind 2x2 pooling, for many pictures.
 *
 * Each pooled gradient goes to one position alone, so that a fourth of the products is enough: a thread gives 2 by 2 elements
 * of the input and goes through the windows that reach them; where a window's largest was says which four elements of the
 * kernel it is multiplied with. Neighbouring threads have the same place in different pictures, and so the same windows.
 */
import type { Pair, Picture } from '../layers/source.js';
import { range } from './matrix-product.js';

export interface SparseGradient {
  /** Of the convolution: its input, and its positions before pooling. */
  readonly from: Picture;
  readonly to: Picture;
  readonly size: Pair;
  readonly before: Pair;
  /** WGSL: the gradient of window `w` and filter `f` of `sample`, which of its four positions won, and a weight. */
  readonly gradient: string;
  readonly winner: string;
  readonly weight: string;
  /** WGSL: what goes into `to[at]`, `sum` being the gradient; `at` counts vectors of `sparseVector` channels. */
  readonly derived: string;
}

export interface SparseBlocking {
  /** Channels that are read and written at once. */
  readonly vector: 1 | 2 | 4;
  /** Such vectors of a thread, and threads that share a block's channels. */
  readonly vectors: number;
  readonly shares: number;
  /** Blocks of 2 by 2 elements in a workgroup, times `shares`. */
  readonly units: number;
  /** Filters at a time. */
  readonly filters: number;
}

const pictures = 32;
const mostUnits = 8;
const mostVectors = 6;
const mostWindows = 64;
/** Enough for several workgroups on one multiprocessor. */
const bytes = 24_576;

export function sparseBlockingFor({ from, to, size, before }: Geometry): SparseBlocking | undefined {
  const windows = (to[0] >> 1) * (to[1] >> 1);
  const vector = from[2] % 4 === 0 ? 4 : from[2] % 2 === 0 ? 2 : 1;
  const all = from[2] / vector;
  const shares = Math.ceil(all / mostVectors);
  const vectors = Math.ceil(all / shares);
  const [rows, columns] = [padded(size[0], before[0]).length, padded(size[1], before[1]).length];
  const perFilter = 8 * windows * pictures + 4 * rows * columns * shares * vectors * vector;
  const filters = Math.min(to[2], Math.floor(bytes / perFilter));
  if (windows > mostWindows || shares > mostUnits || filters < 1) return undefined;
  const blocks = Math.ceil(from[0] / 2) * Math.ceil(from[1] / 2);
  const groups = Math.ceil(blocks / Math.floor(mostUnits / shares));
  return { vector, vectors, shares, units: Math.ceil(blocks / groups) * shares, filters };
}

type Geometry = Pick<SparseGradient, 'from' | 'to' | 'size' | 'before'>;

/** The kernel with zeros around, for those elements of a block that a window does not reach: how many before, and all. */
function padded(size: number, before: number): { readonly low: number; readonly length: number } {
  const isEven = before % 2 === 0; //                           and with it the place where window and block meet
  const last = size % 2 === before % 2 ? size : size - 1;
  const low = isEven ? 1 : 2;
  return { low, length: last + 2 + low };
}

export function sparseGroups({ from }: Geometry, { units, shares }: SparseBlocking, samples: number) {
  const blocks = Math.ceil(from[0] / 2) * Math.ceil(from[1] / 2);
  return [Math.ceil(samples / pictures), Math.ceil(blocks / (units / shares)), 1] as const;
}

export function sparseGradientCode(work: SparseGradient, blocking: SparseBlocking): string {
  const { from, to, size, before, gradient, winner, weight, derived } = work;
  const { vector, vectors, shares, units, filters } = blocking;
  const type = vector === 1 ? 'f32' : `vec${vector}f`;
  const [windowRows, windowColumns] = [to[0] >> 1, to[1] >> 1];
  const windows = windowRows * windowColumns;
  const [tall, broad] = [padded(size[0], before[0]), padded(size[1], before[1])];
  const [rows, columns] = [tall.length, broad.length];
  const wide = shares * vectors;
  const step = filters * wide; //                                of the kernel's tile, from one column to the next
  const blockColumns = Math.ceil(from[1] / 2);
  const blocks = Math.ceil(from[0] / 2) * blockColumns;
  const threads = units * pictures;
  const items = filters * windows * pictures;
  const taps = [0, 1, columns, columns + 1];
  const channels = from[2] / vector;
  const all = (make: (b: number, j: number) => string): string =>
    range(4)
      .flatMap((b) => range(vectors).map((j) => make(b, j)))
      .join('\n');
  return `
var<workgroup> g_tile: array<vec2u, ${items}>;
var<workgroup> w_tile: array<${type}, ${rows * columns * step}>;
fn gradient_at(sample: u32, w: u32, f: u32) -> f32 { return ${gradient}; }
fn winner_at(sample: u32, w: u32, f: u32) -> u32 { return ${winner}; }
fn weight_at(ky_: u32, kx_: u32, c: u32, f: u32) -> f32 {
  let ky = ky_ - ${tall.low}u;
  let kx = kx_ - ${broad.low}u;
  if (ky >= ${size[0]}u || kx >= ${size[1]}u || c >= ${from[2]}u || f >= ${to[2]}u) { return 0.0; }
  return ${weight};
}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let lane = thread % ${pictures}u;
  let unit = thread / ${pictures}u;
  let share = unit % ${shares}u;
  let block = group.y * ${units / shares}u + unit / ${shares}u;
  let row = block / ${blockColumns}u;
  let column = block % ${blockColumns}u;
  let sample = group.x * ${pictures}u + lane;
  // Window (wy, wx) meets the kernel at 2 (row - wy) + before, one less if its lower or right position won.
  let y_place = i32(2u * row) + ${before[0]};
  let x_place = i32(2u * column) + ${before[1]};
  let wy_first = max(0, (y_place - ${size[0]} + 1) / 2);
  let wx_first = max(0, (x_place - ${size[1]} + 1) / 2);
  let wy_last = min(${windowRows - 1}, (y_place + 1) / 2);
  let wx_last = min(${windowColumns - 1}, (x_place + 1) / 2);
  ${all((b, j) => `var s_${b}_${j} = ${type}();`)}
  for (var f_first = 0u; f_first < ${to[2]}u; f_first += ${filters}u) {
    for (var e = thread; e < ${items}u; e += ${threads}u) {
      let w = (e / ${pictures}u) % ${windows}u;
      let f = f_first + e / ${pictures * windows}u;
      let whose = group.x * ${pictures}u + e % ${pictures}u;
      var item = vec2u();
      if (whose < batch.samples && f < ${to[2]}u) {
        let won = winner_at(whose, w, f);
        item = vec2u(bitcast<u32>(gradient_at(whose, w, f)), ((won / 2u) * ${columns}u + won % 2u) * ${step}u);
      }
      g_tile[e] = item;
    }
    for (var e = thread; e < ${rows * columns * step}u; e += ${threads}u) {
      let c = (e % ${wide}u) * ${vector}u;
      let f = (e / ${wide}u) % ${filters}u;
      let at = e / ${step}u;
      let ky = at / ${columns}u;
      let kx = at % ${columns}u;
      w_tile[e] = ${type}(${range(vector)
        .map((i) => `weight_at(ky, kx, c + ${i}u, f_first + f)`)
        .join(', ')});
    }
    workgroupBarrier();
    for (var f = 0u; f < ${filters}u; f++) {
      for (var wy = wy_first; wy <= wy_last; wy++) {
        let line = u32(y_place - 2 * wy + ${tall.low}) * ${columns}u + ${broad.low}u;
        for (var wx = wx_first; wx <= wx_last; wx++) {
          let item = g_tile[(f * ${windows}u + u32(wy) * ${windowColumns}u + u32(wx)) * ${pictures}u + lane];
          let g = ${type}(bitcast<f32>(item.x));
          let at = u32(i32(line) + x_place - 2 * wx) * ${step}u + f * ${wide}u + share * ${vectors}u - item.y;
          ${all((b, j) => `s_${b}_${j} = fma(g, w_tile[at + ${taps[b]! * step + j}u], s_${b}_${j});`)}
        }
      }
    }
    workgroupBarrier();
  }
  if (sample >= batch.samples || block >= ${blocks}u) { return; }
  ${all((b, j) => {
    const [y, x] = [`(row * 2u + ${b >> 1}u)`, `(column * 2u + ${b & 1}u)`];
    return `
  if (${y} < ${from[0]}u && ${x} < ${from[1]}u && share * ${vectors}u + ${j}u < ${channels}u) {
    let at = ((sample * ${from[0]}u + ${y}) * ${from[1]}u + ${x}) * ${channels}u + share * ${vectors}u + ${j}u;
    let sum = s_${b}_${j};
    to[at] = ${derived};
  }`;
  })}
}`;
}
