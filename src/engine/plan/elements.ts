/** Stages that move numbers, mask them, or put several inputs together. */
import { philoxKey } from '../../core/random.js';
import { behind } from './activation.js';
import type { Compilation, Values } from './compilation.js';
import { elements } from './picture.js';
import { bitsOf, none, type ProgramWriter } from './program.js';
import type { StageOf } from './stages.js';

/** What is dropped depends on (seed, layer, epoch, position, element), and so on no worker and no micro-batch. */
export function compileDropout(c: Compilation, stage: StageOf<'dropout'>, input: Values): Values {
  const { rate, name } = stage;
  const output = behind(c, input);
  const [key_0, key_1] = philoxKey(c.seed, 'dropout', name);
  const threshold = Math.round(rate * 4_294_967_296);
  const mask = { block: c.block, size: input.size, key_0, key_1, threshold, scale: bitsOf(1 / (1 - rate)) };
  c.training.emit('dropout', { in: input.out, out: output.out, ...mask });
  c.evaluation.emit('scale_to', { from: input.out, to: output.out, size: input.size, factor: bitsOf(1) });
  const { gradient } = output;
  if (gradient !== none) c.backwardStage().emit('dropout', { in: gradient, out: gradient, ...mask });
  return output;
}

export function compileMerge(c: Compilation, stage: StageOf<'merge'>, inputs: readonly Values[]): Values {
  return stage.operation === 'multiply' ? multiplied(c, inputs) : added(c, inputs, stage.operation === 'average');
}

function added(c: Compilation, inputs: readonly Values[], isAverage: boolean): Values {
  const { size } = inputs[0]!;
  const output = c.values(size);
  const factor = bitsOf(isAverage ? 1 / inputs.length : 1);
  const [first, ...others] = inputs;
  let sum = first!.out;
  for (const { out } of others) {
    c.forward('combine', { a: sum, b: out, out: output.out, size, multiply: 0 });
    sum = output.out;
  }
  if (isAverage) c.forward('scale_to', { from: sum, to: sum, size, factor });
  const backward = c.backwardStage();
  for (const { gradient } of inputs)
    if (gradient !== none) backward.emit('scale_to', { from: output.gradient, to: gradient, size, factor });
  return output;
}

/** Two at a time. */
function multiplied(c: Compilation, inputs: readonly Values[]): Values {
  const { size } = inputs[0]!;
  return inputs.reduce((a, b) => {
    const output = c.values(size);
    c.forward('combine', { a: a.out, b: b.out, out: output.out, size, multiply: 1 });
    const backward = c.backwardStage();
    for (const [mine, other] of [
      [a, b],
      [b, a],
    ] as const) {
      if (mine.gradient !== none)
        backward.emit('combine', { a: output.gradient, b: other.out, out: mine.gradient, size, multiply: 1 });
    }
    return output;
  });
}

export function compileConcatenation(
  c: Compilation,
  stage: StageOf<'concatenation'>,
  inputs: readonly Values[],
): Values {
  const { rows, columns } = stage;
  const width = columns.reduce((sum, d) => sum + d, 0);
  const output = c.values(rows * width);
  const backward = c.backwardStage();
  let at = 0;
  for (const [i, { out, gradient }] of inputs.entries()) {
    const own = columns[i]!;
    const whole = { rows, columns: own };
    c.forward('copy_rows', { from: out, to: output.out + at, ...whole, from_stride: own, to_stride: width });
    if (gradient !== none)
      backward.emit('copy_rows', {
        ...{ from: output.gradient + at, to: gradient },
        ...{ ...whole, from_stride: width, to_stride: own },
      });
    at += own * 4;
  }
  return output;
}

/** Zeros around a picture, or less of it: one is the other's backward pass. */
export function compileFrame(c: Compilation, stage: StageOf<'padding' | 'cropping'>, input: Values): Values {
  const isPadding = stage.kind === 'padding';
  const output = c.values(elements(stage.to));
  const [small, large] = isPadding ? [stage.from, stage.to] : [stage.to, stage.from];
  const [height, width, channels] = small;
  const inside = { height, width, channels, top: stage.before[0], left: stage.before[1] };
  const put = (emit: ProgramWriter['emit'], from: number, to: number): void =>
    emit('pad', { from, to, ...inside, step_height: 1, step_width: 1, to_height: large[0], to_width: large[1] });
  const take = (emit: ProgramWriter['emit'], from: number, to: number): void =>
    emit('unpad', { from, to, ...inside, from_height: large[0], from_width: large[1] });
  (isPadding ? put : take)(c.forward.bind(c), input.out, output.out);
  if (input.gradient === none) return output;
  const backward = c.backwardStage();
  if (!isPadding) backward.emit('clear', { to: input.gradient, size: input.size });
  (isPadding ? take : put)(backward.emit.bind(backward), output.gradient, input.gradient);
  return output;
}

export function compilePermutation(c: Compilation, stage: StageOf<'permutation'>, input: Values): Values {
  const output = c.values(input.size);
  const { from, order } = stage;
  const to = order.map((axis) => from[axis]!);
  const back = [0, 1, 2].map((axis) => order.indexOf(axis));
  c.forward('permute', { from: input.out, to: output.out, ...permutation(from, order) });
  if (input.gradient !== none)
    c.backwardStage().emit('permute', { from: output.gradient, to: input.gradient, ...permutation(to, back) });
  return output;
}

function permutation(from: readonly number[], order: readonly number[]) {
  const strides = [from[1]! * from[2]!, from[2]!, 1];
  const [size_0, size_1, size_2] = order.map((axis) => from[axis]!) as [number, number, number];
  const [stride_0, stride_1, stride_2] = order.map((axis) => strides[axis]!) as [number, number, number];
  return { size_0, size_1, size_2, stride_0, stride_1, stride_2 };
}
