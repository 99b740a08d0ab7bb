/** Losses: gradient of each sample's loss, and sums of the losses and of correct answers. */
import type { LossName } from '../model-spec.js';
import { spanCode, type Compilation, type Values } from './compilation.js';
import { expCode, logCode, nanCode } from './maths.js';
import type { GpuArray } from './program.js';

const threads = 64;

/** @param labels - classes of the samples, or what the outputs are compared with */
export function compileLoss(c: Compilation, loss: LossName, output: Values, labels: GpuArray, offset: number): void {
  const span = Math.min(threads, c.microBatchSize);
  const sums = c.partialSums(offset, 2, span);
  c.forward({
    name: 'loss',
    reads: { z: output.out, labels },
    writes: { g: output.gradient!, sums: sums.array },
    code: `
${spanCode(sums.parts, span)}
${expCode}${logCode}${nanCode}
${lossCode[loss](output.size)}
var<workgroup> losses: array<vec2f, ${threads}>;
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let samples = span_of(group.x);
  let sample = samples.x + thread;
  losses[thread] = vec2f();
  if (sample < samples.y) { losses[thread] = loss_of(sample); }
  for (var half = ${threads / 2}u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (thread < half) { losses[thread] += losses[thread + half]; }
  }
  if (thread == 0u) {
    sums[group.x * 2u] = losses[0].x;
    sums[group.x * 2u + 1u] = losses[0].y;
  }
}`,
    groups: ({ samples, microBatch }) => [Math.ceil(samples / microBatch) * sums.parts, 1, 1],
  });
}

/** `fn loss_of(sample: u32) -> vec2f`: loss, and 1 for a correct answer; fills the sample's gradient. As kernels/loss.c. */
const lossCode: Readonly<Record<LossName, (outputs: number) => string>> = {
  softmaxCrossEntropy: (classes) => `
fn loss_of(sample: u32) -> vec2f {
  let at = sample * ${classes}u;
  let y = labels[sample];
  var best = 0u;
  for (var j = 1u; j < ${classes}u; j++) {
    if (z[at + j] > z[at + best] || (is_nan(z[at + j]) && !is_nan(z[at + best]))) { best = j; }
  }
  let largest = z[at + best];
  var sum = 0.0;
  for (var j = 0u; j < ${classes}u; j++) {
    let e = exp_of(z[at + j] - largest);
    g[at + j] = e;
    sum += e;
  }
  for (var j = 0u; j < ${classes}u; j++) { g[at + j] = g[at + j] / sum - select(0.0, 1.0, j == y); }
  return vec2f(log_of(sum) - (z[at + y] - largest), select(0.0, 1.0, best == y));
}`,
  sigmoidCrossEntropy: (outputs) => `
fn loss_of(sample: u32) -> vec2f {
  var sum = 0.0;
  var right = true;
  for (var n = sample * ${outputs}u; n < (sample + 1u) * ${outputs}u; n++) {
    let v = z[n];
    let t = bitcast<f32>(labels[n]);
    let e = exp_of(-abs(v));
    sum += (select(v, 0.0, v <= 0.0) - v * t) + log_of(1.0 + e);
    right = right && ((v > 0.0) == (t > 0.5));
    g[n] = (select(1.0, e, v < 0.0) / (1.0 + e) - t) / ${outputs}.0;
  }
  return vec2f(sum / ${outputs}.0, select(0.0, 1.0, right));
}`,
  meanSquaredError: (outputs) => `
fn loss_of(sample: u32) -> vec2f {
  var sum = 0.0;
  let first = sample * ${outputs}u;
  var best = first;
  var wanted = first;
  for (var n = first; n < first + ${outputs}u; n++) {
    let d = z[n] - bitcast<f32>(labels[n]);
    sum = fma(d, d, sum);
    g[n] = 2.0 * d / ${outputs}.0;
    if (z[n] > z[best]) { best = n; }
    if (bitcast<f32>(labels[n]) > bitcast<f32>(labels[wanted])) { wanted = n; }
  }
  return vec2f(sum / ${outputs}.0, select(0.0, 1.0, ${outputs}u > 1u && best == wanted));
}`,
};
