/** Pooling that no convolution took along: a thread an element, of the output and then of the input. */
import type { Window } from '../layers/operation.js';
import type { Picture } from '../layers/source.js';
import type { StageOf } from '../plan/stages.js';
import type { Compilation, Values } from './compilation.js';
import { perElement } from './elements.js';
import { derivative, nanCode } from './maths.js';

export function compileMaxPooling(c: Compilation, stage: StageOf<'maxPooling'>, input: Values): Values {
  const { from, to, window, name } = stage;
  const output = c.values(to[0] * to[1] * to[2]);
  const winners = c.sampleArray(output.size, 'u32', 'winners');
  c.forward(
    perElement(
      `${name} forward`,
      output.size,
      { x: input.out },
      { out: output.out, winners },
      {
        declarations: nanCode,
        code: `
  ${placeCode(to)}
  var best = 0.0;
  var won = 0xffffffffu;
  ${overWindow(
    from,
    window,
    (at) => `
      let v = x[sample * ${input.size}u + ${at}];
      if (won == 0xffffffffu || (v > best && !is_nan(best)) || is_nan(v)) { best = v; won = ${at}; }`,
  )}
  out[i] = best;
  winners[i] = won;`,
      },
    ),
  );
  c.onBackward(...backward(stage, input, output, winners));
  return output;
}

export function compileAveragePooling(c: Compilation, stage: StageOf<'averagePooling'>, input: Values): Values {
  const { from, to, window, name } = stage;
  const output = c.values(to[0] * to[1] * to[2]);
  c.forward(
    perElement(
      `${name} forward`,
      output.size,
      { x: input.out },
      { out: output.out },
      {
        code: `
  ${placeCode(to)}
  var sum = 0.0;
  var count = 0.0;
  ${overWindow(from, window, (at) => `sum += x[sample * ${input.size}u + ${at}]; count += 1.0;`)}
  out[i] = sum / count;`,
      },
    ),
  );
  c.onBackward(...backward(stage, input, output));
  return output;
}

/** Each element of the input looks at the windows that it lies in. @param winners - absent for averages */
function backward(
  { from, to, window, name }: StageOf<'maxPooling' | 'averagePooling'>,
  input: Values,
  output: Values,
  winners?: Values['out'],
) {
  if (!input.gradient) return [];
  const { size, stride, before } = window;
  const reads = { g: output.gradient!, ...(winners ? { winners } : {}) };
  const derived = input.activation === 'linear' ? {} : { x: input.out };
  /** How many elements of the picture a window has along an axis. */
  const inside = (axis: 0 | 1, w: string): string =>
    `f32(min(i32(${w}) * ${stride[axis]} - ${before[axis]} + ${size[axis]}, ${from[axis]}) - max(i32(${w}) * ${stride[axis]} - ${before[axis]}, 0))`;
  const add = winners
    ? `if (winners[w] == at) { sum += g[w]; }`
    : `sum += g[w] / (${inside(0, 'row')} * ${inside(1, 'column')});`;
  return [
    perElement(
      `${name} backward`,
      input.size,
      { ...reads, ...derived },
      { to: input.gradient },
      {
        code: `
  let at = i % ${input.size}u;
  let channel = at % ${from[2]}u;
  let x_place = (at / ${from[2]}u) % ${from[1]}u + ${before[1]}u;
  let y_place = at / ${from[1] * from[2]}u + ${before[0]}u;
  var sum = 0.0;
  ${windowsAlong('row', 'y_place', size[0], stride[0], to[0])} {
    ${windowsAlong('column', 'x_place', size[1], stride[1], to[1])} {
      let w = ((sample * ${to[0]}u + row) * ${to[1]}u + column) * ${to[2]}u + channel;
      ${add}
    }
  }
  to[i] = ${derivative(input.activation, 'sum', 'x[i]')};`,
      },
    ),
  ];
}

/** A loop over the windows along one axis that `place` lies in; places count the zeros before the picture. */
function windowsAlong(name: string, place: string, size: number, stride: number, count: number): string {
  const first = `(max(${place} + ${stride}u, ${size}u) - ${size}u) / ${stride}u`;
  return `for (var ${name} = ${first}; ${name} < ${count}u && ${name} * ${stride}u <= ${place}; ${name}++)`;
}

function placeCode(to: Picture): string {
  return `
  let channel = i % ${to[2]}u;
  let column = (i / ${to[2]}u) % ${to[1]}u;
  let row = (i / ${to[1] * to[2]}u) % ${to[0]}u;`;
}

/** Statements for each element of window (`row`, `column`) that lies in the picture, which lies at `at` of its sample. */
function overWindow(from: Picture, { size, stride, before }: Window, make: (at: string) => string): string {
  return `
  for (var ky = 0u; ky < ${size[0]}u; ky++) {
    let y = i32(row * ${stride[0]}u + ky) - ${before[0]};
    if (y < 0 || y >= ${from[0]}) { continue; }
    for (var kx = 0u; kx < ${size[1]}u; kx++) {
      let x_ = i32(column * ${stride[1]}u + kx) - ${before[1]};
      if (x_ < 0 || x_ >= ${from[1]}) { continue; }
      let at = (u32(y) * ${from[1]}u + u32(x_)) * ${from[2]}u + channel;
      ${make('at')}
    }
  }`;
}
