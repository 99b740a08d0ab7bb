/** Stages that work row by row: softmax and layer normalisation. */
import type { StageOf } from '../plan/stages.js';
import type { Compilation, Values } from './compilation.js';
import { perElement } from './elements.js';
import { expCode, logCode, nanCode } from './maths.js';
import { passedFrom } from './moves.js';
import { channelSums } from './normalisation.js';
import type { GpuArray } from './program.js';

export function compileSoftmax(c: Compilation, stage: StageOf<'softmax'>, input: Values): Values {
  const { rows, logarithm, name } = stage;
  const columns = input.size / rows;
  const output = c.values(input.size);
  c.forward(
    perElement(
      `${name} forward`,
      rows,
      { x: input.out },
      { out: output.out },
      {
        declarations: `${expCode}${logCode}${nanCode}`,
        code: `
  let first = i * ${columns}u;
  var largest = x[first];
  for (var j = first; j < first + ${columns}u; j++) { if (x[j] > largest || is_nan(x[j])) { largest = x[j]; } }
  var sum = 0.0;
  for (var j = first; j < first + ${columns}u; j++) { sum += exp_of(x[j] - largest); }
  let log_sum = log_of(sum);
  for (var j = first; j < first + ${columns}u; j++) {
    out[j] = ${logarithm ? '(x[j] - largest) - log_sum' : 'exp_of(x[j] - largest) / sum'};
  }`,
      },
    ),
  );
  const sums = c.sampleArray(rows, 'f32', 'sums of rows');
  const y = output.out;
  if (input.gradient)
    c.onBackward(
      perElement(
        `${name} sums`,
        rows,
        { g: output.gradient!, ...(logarithm ? {} : { y }) },
        { sums },
        {
          code: `
  var sum = 0.0;
  for (var j = i * ${columns}u; j < (i + 1u) * ${columns}u; j++) { sum += g[j]${logarithm ? '' : ' * y[j]'}; }
  sums[i] = sum;`,
        },
      ),
      ...passedFrom(
        name,
        input,
        output,
        logarithm
          ? `let passed = g[i] - exp_of(y[i]) * sums[i / ${columns}u];`
          : `let passed = y[i] * (g[i] - sums[i / ${columns}u]);`,
        { y, sums },
        logarithm ? expCode : '',
      ),
    );
  return output;
}

export function compileLayerNormalisation(c: Compilation, stage: StageOf<'layerNormalisation'>, input: Values): Values {
  const { rows, epsilon, scales, centers, weights, name } = stage;
  const { size } = input;
  const columns = size / rows;
  const output = c.values(size);
  const [mean, inverse] = ['mean', 'inverse'].map((label) => c.sampleArray(rows, 'f32', label)) as [GpuArray, GpuArray];
  const gammaAt = scales ? c.offsetOf(weights[0]!) : 0;
  const gamma = scales ? `weights[${gammaAt}u + i % ${columns}u]` : '1.0';
  const beta = centers ? `weights[${c.offsetOf(weights[Number(scales)]!)}u + i % ${columns}u]` : '0.0';
  const x = input.out;
  c.forward(
    perElement(
      `${name} statistics`,
      rows,
      { x },
      { mean, inverse },
      {
        code: `
  var sum = 0.0;
  for (var j = i * ${columns}u; j < (i + 1u) * ${columns}u; j++) { sum += x[j]; }
  let centre = sum / ${columns}.0;
  var squares = 0.0;
  for (var j = i * ${columns}u; j < (i + 1u) * ${columns}u; j++) { squares += (x[j] - centre) * (x[j] - centre); }
  mean[i] = centre;
  inverse[i] = 1.0 / sqrt(squares / ${columns}.0 + f32(${epsilon}));`,
      },
    ),
  );
  c.forward(
    perElement(
      `${name} forward`,
      size,
      { x, mean, inverse, weights: c.weights },
      { out: output.out },
      { code: `out[i] = (x[i] - mean[i / ${columns}u]) * inverse[i / ${columns}u] * ${gamma} + ${beta};` },
    ),
  );
  const g = output.gradient!;
  const sums = channelSums(c, name, rows, columns);
  const trained = (at: number): GpuArray | undefined =>
    c.isTrained(weights[at]!) ? c.partialSums(c.offsetOf(weights[at]!), columns, c.microBatchSize).array : undefined;
  const [ofGamma, ofBeta] = [scales ? trained(0) : undefined, centers ? trained(Number(scales)) : undefined];
  const normal = `((x[at] - mean[at / ${columns}u]) * inverse[at / ${columns}u])`;
  const [plain, weighted] = ['sums', 'weighted sums'].map((label) => c.sampleArray(rows, 'f32', label));
  c.onBackward(
    ...(ofBeta ? sums({ g }, 'g[at]', '', { given: ofBeta }, 'given[own] = sum;') : []),
    ...(ofGamma ? sums({ g, x, mean, inverse }, `g[at] * ${normal}`, '', { given: ofGamma }, 'given[own] = sum;') : []),
    ...(input.gradient
      ? [
          perElement(
            `${name} sums of rows`,
            rows,
            { g, x, mean, inverse, ...(scales ? { weights: c.weights } : {}) },
            { plain: plain!, weighted: weighted! },
            {
              code: `
  var a = 0.0;
  var b = 0.0;
  for (var at = i * ${columns}u; at < (i + 1u) * ${columns}u; at++) {
    let scaled = g[at] * ${scales ? `weights[${gammaAt}u + at % ${columns}u]` : '1.0'};
    a += scaled;
    b += scaled * ${normal};
  }
  plain[i] = a / ${columns}.0;
  weighted[i] = b / ${columns}.0;`,
            },
          ),
          ...passedFrom(
            name,
            input,
            output,
            `
  let at = i;
  let row = i / ${columns}u;
  let passed = (g[i] * ${gamma} - plain[row] - ${normal} * weighted[row]) * inverse[row];`,
            { x, mean, inverse, plain: plain!, weighted: weighted!, ...(scales ? { weights: c.weights } : {}) },
          ),
        ]
      : []),
  );
  return output;
}
