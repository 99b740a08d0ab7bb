/**
 * Convolutions in WGSL, forward, and backward to the input, which is one too.
 *
 * A workgroup brings a part of some pictures, with zeros around, and the kernels of some filters into workgroup memory, some
 * channels at a time. A thread gives 2 by 2 neighbouring positions for several filters: it holds the patch under the four
 * in registers, so that each number that it reads is used many times.
 */
import { range } from './matrix-product.js';
import type { Pair, Picture } from '../layers/source.js';
import type { Tuning } from './compilation.js';

export interface DirectConvolution {
  readonly from: Picture;
  /** Positions and filters, before any pooling. */
  readonly to: Picture;
  readonly size: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly before: Pair;
  /** WGSL of an input from `sample`, `y`, `x` (inside of the picture) and `c`, all u32. */
  readonly input: string;
  /** WGSL of a weight from `ky`, `kx`, `c` and `f`. */
  readonly weight: string;
  /** Declarations that the statements below need. */
  readonly declarations: string;
  /** Statements that use up block (`row`, `column`) of `sample` for filter `f`. @param values - of its four positions */
  readonly store: (n: number, values: readonly string[]) => string;
  /** Statements around all of these; filters from `f_first` on. */
  readonly begin?: string;
  readonly finish?: string;
}

export interface Blocking {
  /** Filters of a thread. */
  readonly filters: number;
  /** Such groups of filters in a workgroup. */
  readonly filterGroups: number;
  /** Blocks of 2 by 2 positions in a workgroup, down and across. */
  readonly blocks: Pair;
  /** Pictures in a workgroup. */
  readonly pictures: number;
  /** Channels at a time. */
  readonly channels: number;
}

/** Rows and columns of blocks of a picture. */
export function blocksOf([height, width]: Pair | Picture, pooled: boolean): Pair {
  return pooled ? [height >> 1, width >> 1] : [(height + 1) >> 1, (width + 1) >> 1];
}

/** The part of a picture that a workgroup holds; columns in pairs. */
function extent({ size, stride, dilation }: Geometry, blocks: Pair): Pair {
  const along = (axis: 0 | 1): number => (blocks[axis] * 2 - 1) * stride[axis] + (size[axis] - 1) * dilation[axis] + 1;
  return [along(0), (along(1) + 1) & ~1];
}

type Geometry = Pick<DirectConvolution, 'size' | 'stride' | 'dilation' | 'from' | 'to'>;

/** The largest patch that a thread's registers take. */
const largestPatch = 100;

/**
 * @param samples - that are computed at once, about
 * @param pooled - whether only whole blocks count
 * @returns undefined for what is too large
 */
export function blockingFor(
  geometry: Geometry,
  pooled: boolean,
  samples: number,
  limits: { readonly workgroupBytes: number; readonly workgroupThreads: number },
  tuning: Tuning,
): Blocking | undefined {
  const { size, stride, dilation, from, to } = geometry;
  const patch = [0, 1].map((a) => stride[a]! + (size[a]! - 1) * dilation[a]! + 1);
  if (patch[0]! * patch[1]! > largestPatch || size[0] * size[1] > 64) return undefined;
  const maxThreads = Math.min(256, limits.workgroupThreads);
  const budget = Math.min(limits.workgroupBytes, tuning.bytes ?? 32_768) / 4; // floats
  const all = blocksOf(to, pooled);
  const filters = tuning.filters ?? filtersOf(to[2], all[0] * all[1]);
  const groups = Math.ceil(to[2] / filters);
  const blocks: [number, number] = [Math.min(all[0], 16), Math.min(all[1], 16)];
  for (;;) {
    const perGroup = blocks[0] * blocks[1];
    const filterGroups = Math.min(groups, Math.max(1, Math.floor(maxThreads / perGroup)));
    const [rows, columns] = extent(geometry, blocks);
    const channelFloats = (pictures: number): number =>
      pictures * rows * columns + size[0] * size[1] * filterGroups * filters;
    if (perGroup <= maxThreads && channelFloats(1) <= budget) {
      const fitting = Math.floor(maxThreads / (perGroup * filterGroups));
      const enough = Math.max(1, Math.floor((samples * Math.ceil(all[0] / blocks[0])) / 264));
      let pictures = Math.max(1, Math.min(fitting, enough, tuning.pictures ?? 8));
      const few = Math.min(4, from[2]);
      while (pictures > 1 && channelFloats(pictures) * few > budget) pictures--;
      const fit = Math.min(from[2], Math.floor(budget / channelFloats(pictures)));
      const turns = Math.ceil(from[2] / fit);
      return { filters, filterGroups, blocks, pictures, channels: Math.ceil(from[2] / turns) };
    }
    const larger = blocks[0] >= blocks[1] ? 0 : 1;
    if (blocks[larger] === 1) return undefined;
    blocks[larger] = Math.ceil(blocks[larger] / 2);
  }
}

/**
 * Filters of a thread: even, at most 10, with little left over. Where the blocks of a picture alone fill a workgroup a thread
 * takes more, up to 16, of which a word says who won, so that fewer workgroups bring the same picture.
 */
function filtersOf(all: number, blocks: number): number {
  const left = (n: number): number => Math.ceil(all / n) * n - all;
  const choices = blocks >= 100 ? [12, 16, 8, 10, 6, 4] : [8, 10, 6, 4];
  return choices.reduce((best, n) => (left(n) < left(best) ? n : best));
}

export function workgroupsOf(
  { to }: Geometry,
  pooled: boolean,
  { blocks, pictures, filters, filterGroups }: Blocking,
  samples: number,
): readonly [number, number, number] {
  const all = blocksOf(to, pooled);
  const tiles = Math.ceil(all[0] / blocks[0]) * Math.ceil(all[1] / blocks[1]);
  return [Math.ceil(samples / pictures), Math.ceil(to[2] / (filters * filterGroups)), tiles];
}

export function directConvolutionCode(convolution: DirectConvolution, pooled: boolean, blocking: Blocking): string {
  const { from, to, size, stride, dilation, before, input, weight, declarations, store } = convolution;
  const { filters, filterGroups, blocks, pictures, channels } = blocking;
  const vector = filters % 4 === 0 ? 4 : 2;
  const parts = filters / vector;
  const [rows, columns] = extent(convolution, blocks);
  const pairs = columns / 2;
  const all = blocksOf(to, pooled);
  const tilesAcross = Math.ceil(all[1] / blocks[1]);
  const perGroup = blocks[0] * blocks[1];
  const threads = perGroup * filterGroups * pictures;
  const taps = size[0] * size[1];
  const wide = filterGroups * parts;
  const patchPairs = Math.ceil((stride[1] + (size[1] - 1) * dilation[1] + 1) / 2);
  const rowsUsed = [...new Set(range(size[0]).flatMap((ky) => [ky * dilation[0], stride[0] + ky * dilation[0]]))];
  const accumulators = range(4).flatMap((b) => range(parts).map((j) => `s_${b}_${j}`));
  const tap = (ky: number, kx: number): string => {
    const at = (b: number): string => {
      const [r, c] = [(b >> 1) * stride[0] + ky * dilation[0], (b & 1) * stride[1] + kx * dilation[1]];
      return `p_${r}_${c >> 1}.${c & 1 ? 'y' : 'x'}`;
    };
    return [
      ...range(parts).map((j) => `let w_${j} = w_tile[w_at + ${(ky * size[1] + kx) * channels * wide + j}u];`),
      ...range(4).flatMap((b) =>
        range(parts).map((j) => `s_${b}_${j} = fma(vec${vector}f(${at(b)}), w_${j}, s_${b}_${j});`),
      ),
    ].join('\n');
  };
  return `
${declarations}
var<workgroup> x_tile: array<vec2f, ${pictures * channels * rows * pairs}>;
var<workgroup> w_tile: array<vec${vector}f, ${taps * channels * wide}>;
fn input_at(sample: u32, y_: i32, x_: i32, c: u32) -> f32 {
  if (sample >= batch.samples || y_ < 0 || y_ >= ${from[0]} || x_ < 0 || x_ >= ${from[1]} || c >= ${from[2]}u) { return 0.0; }
  let y = u32(y_);
  let x = u32(x_);
  return ${input};
}
fn weight_at(ky: u32, kx: u32, c: u32, f: u32) -> f32 {
  if (c >= ${from[2]}u || f >= ${to[2]}u) { return 0.0; }
  return ${weight};
}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let block = thread % ${perGroup}u;
  let picture = (thread / ${perGroup}u) % ${pictures}u;
  let filter_group = thread / ${perGroup * pictures}u;
  let tile_row = (group.z / ${tilesAcross}u) * ${blocks[0]}u;
  let tile_column = (group.z % ${tilesAcross}u) * ${blocks[1]}u;
  let local_row = block / ${blocks[1]}u;
  let local_column = block % ${blocks[1]}u;
  let y_first = i32(tile_row * ${2 * stride[0]}u) - ${before[0]};
  let x_first = i32(tile_column * ${2 * stride[1]}u) - ${before[1]};
  let f_tile = group.y * ${filterGroups * filters}u;
  ${accumulators.map((s) => `var ${s} = vec${vector}f();`).join('\n')}
  for (var c_first = 0u; c_first < ${from[2]}u; c_first += ${channels}u) {
    for (var e = thread; e < ${pictures * channels * rows * pairs}u; e += ${threads}u) {
      let c = e % ${channels}u;
      let pair = (e / ${channels}u) % ${pairs}u;
      let row = (e / ${channels * pairs}u) % ${rows}u;
      let which = e / ${channels * pairs * rows}u;
      let sample = group.x * ${pictures}u + which;
      let y = y_first + i32(row);
      let x = x_first + i32(pair) * 2;
      x_tile[((which * ${channels}u + c) * ${rows}u + row) * ${pairs}u + pair] =
        vec2f(input_at(sample, y, x, c_first + c), input_at(sample, y, x + 1, c_first + c));
    }
    for (var e = thread; e < ${taps * channels * wide}u; e += ${threads}u) {
      let f = f_tile + (e % ${wide}u) * ${vector}u;
      let c = c_first + (e / ${wide}u) % ${channels}u;
      let tap = e / ${wide * channels}u;
      let ky = tap / ${size[1]}u;
      let kx = tap % ${size[1]}u;
      w_tile[e] = vec${vector}f(${range(vector)
        .map((i) => `weight_at(ky, kx, c, f + ${i}u)`)
        .join(', ')});
    }
    workgroupBarrier();
    for (var c = 0u; c < ${channels}u; c++) {
      let x_at = ((picture * ${channels}u + c) * ${rows}u + local_row * ${2 * stride[0]}u) * ${pairs}u + local_column * ${stride[1]}u;
      let w_at = c * ${wide}u + filter_group * ${parts}u;
      ${rowsUsed
        .flatMap((r) => range(patchPairs).map((j) => `let p_${r}_${j} = x_tile[x_at + ${r * pairs + j}u];`))
        .join('\n')}
      ${range(size[0])
        .flatMap((ky) => range(size[1]).map((kx) => `{ ${tap(ky, kx)} }`))
        .join('\n')}
    }
    workgroupBarrier();
  }
  let sample = group.x * ${pictures}u + picture;
  let row = tile_row + local_row;
  let column = tile_column + local_column;
  let f_first = f_tile + filter_group * ${filters}u;
  if (sample >= batch.samples || row >= ${all[0]}u || column >= ${all[1]}u || f_first >= ${to[2]}u) { return; }
  ${convolution.begin ?? ''}
  ${range(filters)
    .map((n) => {
      const values = range(4).map((b) => `s_${b}_${Math.floor(n / vector)}[${n % vector}]`);
      return `{ let f = f_first + ${n}u; if (f < ${to[2]}u) { ${store(n, values)} } }`;
    })
    .join('\n')}
  ${convolution.finish ?? ''}
}`;
}
