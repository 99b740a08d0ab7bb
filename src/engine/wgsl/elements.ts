/** Stages that work element by element, or mask. */
import { philoxKey } from '../../core/random.js';
import { isFused } from '../layers/source.js';
import { activationCode } from './activations.js';
import type { StageOf } from '../plan/stages.js';
import type { Compilation, Values } from './compilation.js';
import { activateCode, derivative } from './maths.js';
import type { GpuArray, KernelSource } from './program.js';

type Arrays = Readonly<Record<string, GpuArray>>;

const threads = 256;
/** Workgroups along x: along y are the rest, since a device counts to 65,535 along each. */
const across = 32_768;

/** A kernel with a thread for each of `size` elements of all samples: element `i`, which belongs to `sample`. */
export function perElement(
  name: string,
  size: number,
  reads: Arrays,
  writes: Arrays,
  { code, declarations = '' }: { readonly code: string; readonly declarations?: string },
): KernelSource {
  return {
    ...{ name, reads, writes },
    code: `
${declarations}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let i = (group.y * ${across}u + group.x) * ${threads}u + thread;
  let sample = i / ${size}u;
  if (sample >= batch.samples) { return; }
  ${code}
}`,
    groups({ samples }) {
      const groups = Math.ceil((samples * size) / threads);
      return [Math.min(groups, across), Math.ceil(groups / across), 1];
    },
  };
}

export function compileActivation(c: Compilation, stage: StageOf<'activation'>, input: Values): Values {
  const { activation, parameter, name } = stage;
  const [reads, size] = [{ x: input.out }, input.size];
  if (isFused(activation)) {
    const output = c.values(size, activation);
    const declarations = activateCode(activation);
    c.forward(
      perElement(
        `${name} forward`,
        size,
        reads,
        { out: output.out },
        { declarations, code: 'out[i] = activate(x[i]);' },
      ),
    );
    c.onBackward(...passedOn(name, input, output));
    return output;
  }
  const output = c.values(size);
  const declarations = activationCode(activation, parameter);
  c.forward(
    perElement(`${name} forward`, size, reads, { out: output.out }, { declarations, code: 'out[i] = value_of(x[i]);' }),
  );
  c.onBackward(...passedOn(name, input, output, '(g[i] * slope_of(x[i]))', declarations, true));
  return output;
}

/** The gradient as it is, with the derivative of what the input went through. */
function passedOn(
  name: string,
  input: Values,
  output: Values,
  factor = 'g[i]',
  declarations = '',
  needsInput = false,
): KernelSource[] {
  if (!input.gradient) return [];
  const derived = needsInput || input.activation !== 'linear' ? { x: input.out } : {};
  return [
    perElement(
      `${name} backward`,
      input.size,
      { g: output.gradient!, ...derived },
      { to: input.gradient },
      {
        declarations,
        code: `to[i] = ${derivative(input.activation, factor, 'x[i]')};`,
      },
    ),
  ];
}

/** What is dropped depends on (seed, layer, epoch, position, element), as in kernels/elements.c. */
export function compileDropout(c: Compilation, stage: StageOf<'dropout'>, input: Values): Values {
  const { rate, name } = stage;
  const output = c.values(input.size);
  const [key0, key1] = philoxKey(c.options.seed, 'dropout', name);
  const threshold = Math.round(rate * 4_294_967_296);
  const declarations = `
fn high_product(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let one = (a >> 16u) * (b & 0xffffu);
  let two = (a & 0xffffu) * (b >> 16u);
  let middle = (low >> 16u) + (one & 0xffffu) + (two & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (one >> 16u) + (two >> 16u) + (middle >> 16u);
}
fn mask_of(sample: u32, n: u32) -> f32 {
  var word = vec4u(n / 4u, batch.position + sample, batch.epoch, 0u);
  var key = vec2u(${key0 >>> 0}u, ${key1 >>> 0}u);
  for (var round = 0u; round < 10u; round++) {
    word = vec4u(
      high_product(0xCD9E8D57u, word.z) ^ word.y ^ key.x, 0xCD9E8D57u * word.z,
      high_product(0xD2511F53u, word.x) ^ word.w ^ key.y, 0xD2511F53u * word.x);
    key += vec2u(0x9E3779B9u, 0xBB67AE85u);
  }
  return select(${Math.fround(1 / (1 - rate))}, 0.0, word[n % 4u] < ${threshold >>> 0}u);
}`;
  const mask = `mask_of(sample, i % ${input.size}u)`;
  const [reads, writes] = [{ x: input.out }, { out: output.out }];
  c.onlyTraining(
    perElement(`${name} forward`, input.size, reads, writes, { declarations, code: `out[i] = x[i] * ${mask};` }),
  );
  c.onlyEvaluation(perElement(`${name} evaluation`, input.size, reads, writes, { code: 'out[i] = x[i];' }));
  c.onBackward(...passedOn(name, input, output, `(g[i] * ${mask})`, declarations));
  return output;
}

export function compileMerge(c: Compilation, stage: StageOf<'merge'>, inputs: readonly Values[]): Values {
  const { operation, name } = stage;
  const { size } = inputs[0]!;
  const output = c.values(size);
  const all = Object.fromEntries(inputs.map(({ out }, i) => [`x_${i}`, out]));
  const share = operation === 'average' ? Math.fround(1 / inputs.length) : 1;
  const terms = inputs.map((_, i) => `x_${i}[i]`);
  c.forward(
    perElement(
      `${name} forward`,
      size,
      all,
      { out: output.out },
      {
        code: `out[i] = ${operation === 'multiply' ? terms.join(' * ') : `(${terms.join(' + ')}) * ${share}f`};`,
      },
    ),
  );
  c.onBackward(
    ...inputs.flatMap((input, i) => {
      if (!input.gradient) return [];
      const others = operation === 'multiply' ? terms.filter((_, j) => j !== i) : [`${share}f`];
      const needed = operation === 'multiply' || input.activation !== 'linear';
      return perElement(
        `${name} backward`,
        size,
        { g: output.gradient!, ...(needed ? all : {}) },
        { to: input.gradient },
        { code: `to[i] = ${derivative(input.activation, `(g[i] * ${others.join(' * ')})`, `x_${i}[i]`)};` },
      );
    }),
  );
  return output;
}

/** One output for several stages, each with a gradient of its own: their sum is the output's. */
export function compileShared(c: Compilation, name: string, output: Values, count: number, always = false): Values[] {
  if ((count <= 1 && !always) || !output.gradient) return Array.from({ length: count }, () => output);
  const copies = Array.from({ length: count }, (): Values => ({
    ...output,
    activation: 'linear',
    gradient: c.sampleArray(output.size, 'f32', 'gradient'),
  }));
  const derived = output.activation === 'linear' ? {} : { x: output.out };
  c.onBackward(
    perElement(
      `${name} gradients`,
      output.size,
      { ...Object.fromEntries(copies.map(({ gradient }, i) => [`g_${i}`, gradient!])), ...derived },
      { to: output.gradient },
      {
        code: `to[i] = ${derivative(output.activation, `(${copies.map((_, i) => `g_${i}[i]`).join(' + ')})`, 'x[i]')};`,
      },
    ),
  );
  return copies;
}
