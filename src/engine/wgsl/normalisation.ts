/**
 * Batch normalisation: statistics of each micro-batch, mean before variance, from parts that are added in a fixed order.
 *
 * What is known of a channel lies in arrays [micro-batch][channel].
 */
import type { StageOf } from '../plan/stages.js';
import { microBatchesOf, spanCode, type Compilation, type Values } from './compilation.js';
import { perElement } from './elements.js';
import { activateCode, derivative } from './maths.js';
import type { GpuArray, KernelSource } from './program.js';

const threads = 64;
/** Parts of a micro-batch, about. */
const wantedParts = 64;

export function compileBatchNormalisation(c: Compilation, stage: StageOf<'batchNormalisation'>, input: Values): Values {
  const { rows, epsilon, scales, centers, weights, name, activation } = stage;
  const { size } = input;
  const channels = size / rows;
  const output = c.values(size, activation);
  const { parameterCount, averages } = c.options.layout;
  const [movingMean, movingVariance] = weights.slice(-2).map((weight) => c.offsetOf(weight)) as [number, number];
  const statistics = parameterCount + averages.find(({ offset }) => offset === movingMean)!.extra;
  const gamma = scales ? `weights[${c.offsetOf(weights[0]!)}u + channel]` : '1.0';
  const beta = centers ? `weights[${c.offsetOf(weights[Number(scales)]!)}u + channel]` : '0.0';
  const perChannel = (label: string): GpuArray => c.array(c.microBatches * channels, 'f32', label);
  const [mean, inverse] = [perChannel('mean'), perChannel('inverse')];
  const x = input.out;
  const sums = channelSums(c, name, rows, channels);

  // The statistics that every engine gives: each times the samples of the micro-batch, the variance behind the mean.
  const given = c.partialSums(statistics, 2 * channels, c.microBatchSize);
  for (const source of [
    ...sums(
      { x },
      'x[at]',
      '',
      { to: mean, given: given.array },
      `
  to[own] = sum / count;
  given[micro * ${2 * channels}u + channel] = sum / count * samples;`,
    ),
    ...sums(
      { x, mean },
      'd * d',
      'let d = x[at] - mean[own];',
      { to: inverse, given: given.array },
      `
  to[own] = 1.0 / sqrt(sum / count + ${epsilon}f);
  given[micro * ${2 * channels}u + ${channels}u + channel] = sum / count * samples;`,
    ),
    perElement(
      `${name} forward`,
      size,
      { x, mean, inverse, weights: c.weights },
      { out: output.out },
      {
        declarations: activateCode(activation),
        code: `
  ${channelCode(channels)}
  out[i] = activate((x[i] - mean[own]) * (inverse[own] * ${gamma}) + ${beta});`,
      },
    ),
  ])
    c.onlyTraining(source);
  c.onlyEvaluation(
    perElement(
      `${name} evaluation`,
      size,
      { x, weights: c.weights },
      { out: output.out },
      {
        declarations: activateCode(activation),
        code: `
  let channel = i % ${channels}u;
  let scale = 1.0 / sqrt(weights[${movingVariance}u + channel] + ${epsilon}f) * ${gamma};
  out[i] = activate((x[i] - weights[${movingMean}u + channel]) * scale + ${beta});`,
      },
    ),
  );

  const g = output.gradient!;
  const [plain, weighted] = [perChannel('sums of gradients'), perChannel('sums of gradients times values')];
  const trained = (at: number): GpuArray | undefined =>
    c.isTrained(weights[at]!) ? c.partialSums(c.offsetOf(weights[at]!), channels, c.microBatchSize).array : undefined;
  const [ofGamma, ofBeta] = [scales ? trained(0) : undefined, centers ? trained(Number(scales)) : undefined];
  c.onBackward(
    ...sums(
      { g },
      'g[at]',
      '',
      { to: plain, ...(ofBeta ? { given: ofBeta } : {}) },
      `
  to[own] = sum;
  ${ofBeta ? 'given[own] = sum;' : ''}`,
    ),
    ...sums(
      { g, x, mean, inverse },
      'g[at] * ((x[at] - mean[own]) * inverse[own])',
      '',
      { to: weighted, ...(ofGamma ? { given: ofGamma } : {}) },
      `
  to[own] = sum;
  ${ofGamma ? 'given[own] = sum;' : ''}`,
    ),
    ...(input.gradient
      ? [
          perElement(
            `${name} backward`,
            size,
            { g, x, mean, inverse, plain, weighted, ...(scales ? { weights: c.weights } : {}) },
            { to: input.gradient },
            {
              code: `
  ${channelCode(channels)}
  ${countCode(rows)}
  let normal = (x[i] - mean[own]) * inverse[own];
  let passed = (g[i] - (plain[own] + normal * weighted[own]) / count) * (inverse[own] * ${gamma});
  to[i] = ${derivative(input.activation, 'passed', 'x[i]')};`,
            },
          ),
        ]
      : []),
  );
  return output;
}

/** Where what is known of element `i`'s channel lies. */
function channelCode(channels: number): string {
  return `
  let channel = i % ${channels}u;
  let micro = sample / batch.micro;
  let own = micro * ${channels}u + channel;`;
}

function countCode(rows: number): string {
  return `
  let samples = f32(min(batch.micro, batch.samples - micro * batch.micro));
  let count = samples * ${rows}.0;`;
}

/** Two kernels that give a sum over all rows of a micro-batch, channel by channel. */
export function channelSums(c: Compilation, name: string, rows: number, channels: number) {
  const span = Math.max(1, Math.ceil(c.microBatchSize / wantedParts));
  const parts = Math.ceil(c.microBatchSize / span);
  const columns = Math.min(channels, threads);
  const lanes = Math.floor(256 / columns);
  const shares = c.array(c.microBatches * parts * channels, 'f32', 'shares');
  return (
    reads: Readonly<Record<string, GpuArray>>,
    /** WGSL of a term from `at`, its place, and `own`, that of its channel, behind the statements `before`. */
    term: string,
    before: string,
    writes: Readonly<Record<string, GpuArray>>,
    /** Statements that use up `sum`. */
    store: string,
  ): KernelSource[] => {
    return [
      {
        name: `${name} parts`,
        reads,
        writes: { shares },
        code: `
${spanCode(parts, span)}
var<workgroup> lane_sums: array<f32, ${columns * lanes}>;
@compute @workgroup_size(${columns * lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let channel = group.x * ${columns}u + thread % ${columns}u;
  let lane = thread / ${columns}u;
  let samples = span_of(group.y);
  let own = (group.y / ${parts}u) * ${channels}u + channel;
  var sum = 0.0;
  if (channel < ${channels}u) {
    for (var row = samples.x * ${rows}u + lane; row < samples.y * ${rows}u; row += ${lanes}u) {
      let at = row * ${channels}u + channel;
      ${before}
      sum += ${term};
    }
  }
  lane_sums[thread] = sum;
  workgroupBarrier();
  if (lane > 0u || channel >= ${channels}u) { return; }
  for (var other = 1u; other < ${lanes}u; other++) { sum += lane_sums[thread + other * ${columns}u]; }
  shares[group.y * ${channels}u + channel] = sum;
}`,
        groups: (batch) => [Math.ceil(channels / columns), parts * microBatchesOf(batch), 1],
      },
      {
        name: `${name} sums`,
        reads: { shares },
        writes,
        code: `
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let channel = group.x * ${threads}u + thread;
  if (channel >= ${channels}u) { return; }
  let micro = group.y;
  let own = micro * ${channels}u + channel;
  ${countCode(rows)}
  var sum = 0.0;
  for (var part = 0u; part < ${parts}u; part++) { sum += shares[(micro * ${parts}u + part) * ${channels}u + channel]; }
  ${store}
}`,
        groups: (batch) => [Math.ceil(channels / threads), microBatchesOf(batch), 1],
      },
    ];
  };
}
