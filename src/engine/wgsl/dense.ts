/** Dense layers: three products of matrices, with bias, activation and derivative at their ends. */
import type { StageOf } from '../plan/stages.js';
import { spanCode, type Compilation, type Values } from './compilation.js';
import { activateCode, derivative } from './maths.js';
import {
  largeTile,
  narrowTile,
  productCode,
  smallNarrowTile,
  smallTile,
  wideTile,
  type Product,
  type Tile,
} from './matrix-product.js';
import type { Batch, KernelSource } from './program.js';

export function compileDense(c: Compilation, stage: StageOf<'dense'>, input: Values): Values {
  const { rows, units, activation, useBias, weights, name } = stage;
  const width = input.size / rows;
  const output = c.values(rows * units, activation);
  const kernel = c.offsetOf(weights[0]!);
  const bias = useBias ? c.offsetOf(weights[1]!) : undefined;
  const many = c.microBatchSize * rows;
  const allRows = `(batch.samples * ${rows}u)`;
  const weightAt = (i: string, o: string): string => `weights[${kernel}u + (${i}) * ${units}u + (${o})]`;

  const ahead = tileFor(c, many, units);
  c.forward({
    name: `${name} forward`,
    reads: { x: input.out, weights: c.weights },
    writes: { out: output.out },
    code: [
      activateCode(activation),
      productCode({
        ...{ tile: ahead, rows: allRows, columns: `${units}u`, first: '0u', end: `${width}u` },
        ...{ a: `x[m * ${width}u + k]`, aAlong: 'k', b: weightAt('k', 'n'), bAlong: 'n' },
        store: `out[m * ${units}u + n] = activate(value${bias === undefined ? '' : ` + weights[${bias}u + n]`});`,
      }),
    ].join('\n'),
    groups: groupsOf(ahead, rows, units),
  });

  const back = tileFor(c, many, width);
  const passed: KernelSource[] = [];
  if (input.gradient)
    passed.push({
      name: `${name} backward`,
      reads: { g: output.gradient!, weights: c.weights, ...(input.activation === 'linear' ? {} : { x: input.out }) },
      writes: { to: input.gradient },
      code: productCode({
        ...{ tile: back, rows: allRows, columns: `${width}u`, first: '0u', end: `${units}u` },
        ...{ a: `g[m * ${units}u + k]`, aAlong: 'k', b: weightAt('n', 'k'), bAlong: 'k' },
        store: `let at = m * ${width}u + n; to[at] = ${derivative(input.activation, 'value', 'x[at]')};`,
      }),
      groups: groupsOf(back, rows, width),
    });
  c.onBackward(...passed, ...weightGradients(c, stage, input, output));
  return output;
}

/** The kernel's gradient, and the bias's as that of one more input, which is always 1. */
function weightGradients(c: Compilation, stage: StageOf<'dense'>, input: Values, output: Values): KernelSource[] {
  const { rows, units, useBias, weights, name } = stage;
  const width = input.size / rows;
  const [ofKernel, ofBias] = [c.isTrained(weights[0]!), useBias && c.isTrained(weights[1]!)];
  if (!ofKernel && !ofBias) return [];
  const [from, to] = [ofKernel ? 0 : width, width + (ofBias ? 1 : 0)];
  const tile = tileOfWeights(c, to - from, units);
  const tiles = Math.ceil((to - from) / tile.rows) * Math.ceil(units / tile.columns);
  const span = spanFor(c, tiles, Math.max(1, Math.ceil(tile.inner / rows)), (to - from) * units);
  const offset = c.offsetOf(weights[ofKernel ? 0 : 1]!);
  const sums = c.partialSums(offset, (to - from) * units, span);
  const input_ = `select(1.0, x[k * ${width}u + min(m + ${from}u, ${width - 1}u)], m + ${from}u < ${width}u)`;
  const product: Product = {
    ...{ tile, rows: `${to - from}u`, columns: `${units}u`, aAlong: 'm', bAlong: 'n' },
    ...{ first: `(samples.x * ${rows}u)`, end: `(samples.y * ${rows}u)` },
    ...{ a: input_, b: `g[k * ${units}u + n]` },
    setup: 'let samples = span_of(group.z);',
    store: `sums[group.z * ${sums.size}u + m * ${units}u + n] = value;`,
  };
  return [
    {
      name: `${name} weights`,
      reads: { x: input.out, g: output.gradient! },
      writes: { sums: sums.array },
      code: [spanCode(sums.parts, span), productCode(product)].join('\n'),
      groups: ({ samples, microBatch }) => [
        Math.ceil((to - from) / tile.rows),
        Math.ceil(units / tile.columns),
        Math.ceil(samples / microBatch) * sums.parts,
      ],
    },
  ];
}

/** Enough workgroups for a large device, to hide how long its memory takes; fewer where each leaves much to add up. */
const wantedGroups = 264;
const wantedForFew = 1056;
const few = 8192;

/**
 * Samples of a part, so that parts times `tiles` make enough workgroups.
 *
 * @param least - below which a part is not worth it @param size - elements of the sum
 */
export function spanFor({ microBatchSize, tuning }: Compilation, tiles: number, least: number, size: number): number {
  const groups = tuning.groups ?? (size < few ? wantedForFew : wantedGroups);
  const parts = Math.max(1, Math.ceil(groups / tiles));
  return Math.min(microBatchSize, Math.max(least, Math.ceil(microBatchSize / parts)));
}

function tileFor({ tuning }: Compilation, rows: number, columns: number): Tile {
  const groups = (tile: Tile): number => Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns);
  if (columns <= 16) return groups(narrowTile) < wantedGroups / 2 ? smallNarrowTile : narrowTile;
  if (tuning.tile) return tuning.tile;
  if (groups(largeTile) >= wantedGroups) return largeTile;
  return groups(wideTile) < wantedGroups / 2 ? smallTile : wideTile;
}

/** With many samples a wide tile has enough to do: the samples are shared out. */
function tileOfWeights(c: Compilation, rows: number, columns: number): Tile {
  if (c.microBatchSize < manySamples || columns <= 16) return tileFor(c, rows, columns);
  return c.tuning.tile ?? wideTile;
}

const manySamples = 1024;

function groupsOf(tile: Tile, rows: number, columns: number) {
  return ({ samples }: Batch) =>
    [Math.ceil((samples * rows) / tile.rows), Math.ceil(columns / tile.columns), 1] as const;
}
