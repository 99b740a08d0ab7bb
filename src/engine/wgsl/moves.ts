/** Stages that move numbers: each kernel has a thread for each number that it writes. */
import type { StageOf } from '../plan/stages.js';
import type { Compilation, Values } from './compilation.js';
import { perElement } from './elements.js';
import { derivative } from './maths.js';
import type { KernelSource } from './program.js';

export function compileConcatenation(
  c: Compilation,
  stage: StageOf<'concatenation'>,
  inputs: readonly Values[],
): Values {
  const { rows, columns, name } = stage;
  const width = columns.reduce((sum, d) => sum + d, 0);
  const output = c.values(rows * width);
  const backward: KernelSource[] = [];
  let first = 0;
  for (const [k, input] of inputs.entries()) {
    const own = columns[k]!;
    const place = `let at = (i / ${own}u) * ${width}u + ${first}u + i % ${own}u;`;
    c.forward(
      perElement(
        `${name} forward`,
        input.size,
        { x: input.out },
        { out: output.out },
        { code: `${place} out[at] = x[i];` },
      ),
    );
    backward.push(...passedFrom(name, input, output, `${place} let passed = g[at];`));
    first += own;
  }
  c.onBackward(...backward);
  return output;
}

/** Zeros around a picture, or a part of one. */
export function compileFrame(c: Compilation, stage: StageOf<'padding' | 'cropping'>, input: Values): Values {
  const { from, to, before, name, kind } = stage;
  const output = c.values(to[0] * to[1] * to[2]);
  const shift = kind === 'padding' ? -1 : 1;
  c.forward(
    perElement(
      `${name} forward`,
      output.size,
      { x: input.out },
      { out: output.out },
      { code: `${shifted('x', to, from, before, shift)} out[i] = passed;` },
    ),
  );
  c.onBackward(...passedFrom(name, input, output, shifted('g', from, to, before, -shift)));
  return output;
}

type Three = readonly [number, number, number];

/** `passed`: the number of another picture that lies at the place of number `i` of this one, or 0 beside it. */
function shifted(array: string, here: Three, there: Three, before: readonly [number, number], shift: number): string {
  return `
  let y = i32((i / ${here[1] * here[2]}u) % ${here[0]}u) + ${shift * before[0]};
  let column = i32((i / ${here[2]}u) % ${here[1]}u) + ${shift * before[1]};
  var passed = 0.0;
  if (y >= 0 && y < ${there[0]} && column >= 0 && column < ${there[1]}) {
    passed = ${array}[((sample * ${there[0]}u + u32(y)) * ${there[1]}u + u32(column)) * ${there[2]}u + i % ${here[2]}u];
  }`;
}

export function compilePermutation(c: Compilation, stage: StageOf<'permutation'>, input: Values): Values {
  const { from, order, name } = stage;
  const output = c.values(input.size);
  const to = order.map((axis) => from[axis]!) as unknown as Three;
  const steps = (shape: Three): Three => [shape[1] * shape[2], shape[2], 1];
  /** The place in `there` of number `i` of `here`, whose axis k is the other one's axis `axes[k]`. */
  const place = (here: Three, there: Three, axes: readonly number[]): string => {
    const terms = axes.map((axis, k) => `((i / ${steps(here)[k]}u) % ${here[k]}u) * ${steps(there)[axis]}u`);
    return `let at = sample * ${input.size}u + ${terms.join(' + ')};`;
  };
  c.forward(
    perElement(
      `${name} forward`,
      input.size,
      { x: input.out },
      { out: output.out },
      { code: `${place(to, from, order)} out[i] = x[at];` },
    ),
  );
  const back = [0, 1, 2].map((axis) => order.indexOf(axis));
  c.onBackward(...passedFrom(name, input, output, `${place(from, to, back)} let passed = g[at];`));
  return output;
}

/** The gradient of each number of the input, which is `passed` behind the statements `code`. */
export function passedFrom(
  name: string,
  input: Values,
  output: Values,
  code: string,
  reads: Parameters<typeof perElement>[2] = {},
  declarations = '',
): KernelSource[] {
  if (!input.gradient) return [];
  const derived = input.activation === 'linear' ? {} : { x: input.out };
  return [
    perElement(
      `${name} backward`,
      input.size,
      { g: output.gradient!, ...derived, ...reads },
      { to: input.gradient },
      { declarations, code: `${code}\n  to[i] = ${derivative(input.activation, 'passed', 'x[i]')};` },
    ),
  ];
}
