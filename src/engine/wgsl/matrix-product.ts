/** Products of matrices in WGSL: tiles in workgroup memory, a part of each in registers. */

/** A workgroup gives `rows` by `columns` elements, a thread `threadRows` by `threadColumns`, all multiples of 4. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  /** Elements of the inner dimension that lie in workgroup memory at a time. */
  readonly inner: number;
  readonly threadRows: number;
  readonly threadColumns: number;
  /** Threads that share the inner dimension of the same elements, where these are few; their sums are added in order. */
  readonly slices?: number;
}

/** For very many rows. */
export const largeTile: Tile = { rows: 128, columns: 64, inner: 16, threadRows: 8, threadColumns: 8 };
/** For many. */
export const wideTile: Tile = { rows: 64, columns: 64, inner: 16, threadRows: 8, threadColumns: 4 };
/** For few: more workgroups, so that each has less to do, and more threads to hide how long memory takes. */
export const smallTile: Tile = { rows: 32, columns: 32, inner: 64, threadRows: 4, threadColumns: 4, slices: 4 };
/** For few columns, as classes are. */
export const narrowTile: Tile = { rows: 64, columns: 16, inner: 32, threadRows: 4, threadColumns: 4, slices: 4 };
export const smallNarrowTile: Tile = { rows: 16, columns: 16, inner: 64, threadRows: 4, threadColumns: 4, slices: 16 };

export interface Product {
  readonly tile: Tile;
  /** WGSL of the sizes: u32. */
  readonly rows: string;
  readonly columns: string;
  /** The range of the inner dimension. */
  readonly first: string;
  readonly end: string;
  /** WGSL of an element of either factor, from `m` or `n` and `k`. */
  readonly a: string;
  readonly b: string;
  /** Along which direction neighbours in memory lie. */
  readonly aAlong: 'm' | 'k';
  readonly bAlong: 'n' | 'k';
  /** Statements that use up element (`m`, `n`), which is `value`. */
  readonly store: string;
  /** Statements at the beginning of the kernel. */
  readonly setup?: string;
}

/** Threads of one slice. */
function threadsOf({ rows, columns, threadRows, threadColumns }: Tile): number {
  return (rows / threadRows) * (columns / threadColumns);
}

/** Workgroups lie along x for rows and along y for columns; `group` is the workgroup's place. */
export function productCode(product: Product): string {
  const { tile, rows, columns, first, end, a, b, store, setup = '' } = product;
  const slices = tile.slices ?? 1;
  const perSlice = threadsOf(tile);
  const threads = perSlice * slices;
  const { inner, threadRows, threadColumns } = tile;
  const [aPitch, bPitch] = [tile.rows / 4 + 1, tile.columns / 4 + 1]; // the odd one keeps columns on different banks
  const [across, down] = [tile.columns / threadColumns, tile.rows / threadRows];
  const [aParts, bParts] = [range(threadRows / 4), range(threadColumns / 4)];
  const lines = (make: (i: number, r: number, j: number) => string): string =>
    aParts.flatMap((i) => range(4).flatMap((r) => bParts.map((j) => make(i, r, j)))).join('\n');
  return `
var<workgroup> a_tile: array<vec4f, ${inner * aPitch}>;
var<workgroup> b_tile: array<vec4f, ${inner * bPitch}>;
${slices === 1 ? '' : `var<workgroup> shares: array<vec4f, ${(slices - 1) * perSlice * threadRows * bParts.length}>;`}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  ${setup}
  let m_first = group.x * ${tile.rows}u;
  let n_first = group.y * ${tile.columns}u;
  let inner_end = ${end};
  let in_slice = thread % ${perSlice}u;
  let slice = thread / ${perSlice}u;
  let across = in_slice % ${across}u;
  let down = in_slice / ${across}u;
  ${lines((i, r, j) => `var c_${i}_${r}_${j} = vec4f();`)}
  for (var k_first = ${first}; k_first < inner_end; k_first += ${inner}u) {
    for (var e = thread; e < ${(inner * tile.rows) / 4}u; e += ${threads}u) {
      ${placeOf('m', tile.rows / 4, inner, product.aAlong === 'k')}
      let k = k_first + k_local;
      var values = vec4f();
      if (k < inner_end) {
        ${range(4)
          .map((r) => `{ let m = m_first + m_local * 4u + ${r}u; if (m < ${rows}) { values[${r}] = ${a}; } }`)
          .join('\n')}
      }
      a_tile[k_local * ${aPitch}u + m_local] = values;
    }
    for (var e = thread; e < ${(inner * tile.columns) / 4}u; e += ${threads}u) {
      ${placeOf('n', tile.columns / 4, inner, product.bAlong === 'k')}
      let k = k_first + k_local;
      var values = vec4f();
      if (k < inner_end) {
        ${range(4)
          .map((r) => `{ let n = n_first + n_local * 4u + ${r}u; if (n < ${columns}) { values[${r}] = ${b}; } }`)
          .join('\n')}
      }
      b_tile[k_local * ${bPitch}u + n_local] = values;
    }
    workgroupBarrier();
    for (var k = slice * ${inner / slices}u; k < (slice + 1u) * ${inner / slices}u; k++) {
      ${aParts.map((i) => `let a_${i} = a_tile[k * ${aPitch}u + ${i * down}u + down];`).join('\n')}
      ${bParts.map((j) => `let b_${j} = b_tile[k * ${bPitch}u + ${j * across}u + across];`).join('\n')}
      ${lines((i, r, j) => `c_${i}_${r}_${j} = fma(vec4f(a_${i}[${r}]), b_${j}, c_${i}_${r}_${j});`)}
    }
    workgroupBarrier();
  }
  ${slices === 1 ? '' : addSlices(slices, perSlice, threadRows * bParts.length, lines)}
  ${lines(
    (i, r, j) => `
  {
    let m = m_first + (${i * down}u + down) * 4u + ${r}u;
    if (m < ${rows}) {
      for (var part = 0u; part < 4u; part++) {
        let n = n_first + (${j * across}u + across) * 4u + part;
        if (n < ${columns}) { let value = c_${i}_${r}_${j}[part]; ${store} }
      }
    }
  }`,
  )}
}`;
}

/** The sums of all slices for the threads of the first, which are the ones that go on. */
function addSlices(
  slices: number,
  perSlice: number,
  vectors: number,
  lines: (make: (i: number, r: number, j: number) => string) => string,
): string {
  let n = 0; //                                                  vectors of neighbouring threads lie side by side
  const write = lines((i, r, j) => `shares[at + ${n++ * perSlice}u] = c_${i}_${r}_${j};`);
  n = 0;
  const read = lines((i, r, j) => `c_${i}_${r}_${j} += shares[at + ${n++ * perSlice}u];`);
  return `
  if (slice > 0u) {
    let at = (slice - 1u) * ${vectors * perSlice}u + in_slice;
    ${write}
  }
  workgroupBarrier();
  if (slice > 0u) { return; }
  for (var other = 0u; other < ${slices - 1}u; other++) {
    let at = other * ${vectors * perSlice}u + in_slice;
    ${read}
  }`;
}

/** Which four elements thread `e` brings: neighbouring threads read neighbours in memory. */
function placeOf(name: 'm' | 'n', parts: number, inner: number, alongInner: boolean): string {
  return alongInner
    ? `let k_local = e % ${inner}u; let ${name}_local = e / ${inner}u;`
    : `let ${name}_local = e % ${parts}u; let k_local = e / ${parts}u;`;
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
