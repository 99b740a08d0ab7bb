import type { Window } from '../layers/operation.js';
import type { Pair, Picture } from '../layers/source.js';
import { activationBackward, activationKinds } from './activation.js';
import type { Compilation, Values } from './compilation.js';
import { elements, framed, outOperands, pictureOperands, windowOperands, withBorders } from './picture.js';
import { none, type Address, type ProgramWriter } from './program.js';
import type { StageOf } from './stages.js';

/** The shortest row of a filter in kernels/convolution-backward.c. */
const shortRow = 8;

/** out = activation(pool(in * W) + b); pooling where the stage has it. Zeros around the picture are put there by a copy. */
export function compileConvolution(c: Compilation, stage: StageOf<'convolution'>, input: Values): Values {
  const { to, window, pooled } = stage;
  const output = c.values(elements(to));
  const kernel = c.parameter(stage.weights[0]!);
  const backward = c.backwardStage();
  const filters = to[2];

  activationBackward(backward, stage.activation, output);
  const bias = c.bias(stage, filters, output.gradient, to[0] * to[1], backward);
  const picture = withBorders(c, stage, input);
  const offsets = pooled ? c.sampleBuffer(output.size) : none;
  const weights = c.packed(kernel.weights, window.size[0] * window.size[1] * stage.from[2], filters);
  const activation = activationKinds[stage.activation];
  c.forward('convolution_forward', {
    ...{ in: picture.out, weights, bias, out: output.out, offsets },
    ...{ ...pictureOperands(picture.picture), ...windowOperands(window), ...outOperands(to), filters, activation },
  });
  if (pooled) {
    sparseBackward(c, stage, backward, { ...picture, offsets }, output, kernel);
    picture.takeOutGradient(backward);
    return output;
  }
  weightGradient(backward, window, picture.out, picture.picture, output.gradient, to, kernel.sums);
  if (input.gradient !== none) {
    const flipped = flippedKernel(c, kernel.weights, window, stage.from[2], filters);
    const { gradient } = output;
    transposedConvolution(c, backward.emit.bind(backward), window, gradient, to, flipped, input.gradient, stage.from);
  }
  return output;
}

/** Gradient of a kernel [height][width][channels of `picture`][channels of `gradient`]. */
export function weightGradient(
  backward: ProgramWriter,
  window: Window,
  from: Address,
  picture: Picture,
  gradient: Address,
  to: Picture,
  weight_gradient: Address,
): void {
  backward.emit('convolution_weights', {
    ...{ in: from, gradient, weight_gradient },
    ...{ ...pictureOperands(picture), ...windowOperands(window), ...outOperands(to), filters: to[2] },
  });
}

/** A kernel [height][width][channels][filters] turned by half a turn and transposed: [height][width][filters][channels]. */
export function flippedKernel(
  c: Compilation,
  from: Address,
  { size }: Window,
  channels: number,
  filters: number,
): Address {
  const blocks = size[0] * size[1];
  const blockSize = filters * c.padded(channels);
  const to = c.buffer(blocks * blockSize);
  c.packing.emit('transpose', {
    ...{ from, to: to + (blocks - 1) * blockSize * 4, rows: channels, columns: filters },
    ...{ from_stride: filters, to_stride: c.padded(channels), blocks, from_block: channels * filters },
    to_block: -blockSize, //                                    the last block first
  });
  return to;
}

/**
 * What a convolution's `window` would make `from` of: each element of `from` times the kernel, added up where windows meet.
 *
 * It is a convolution itself: of `from` with zeros in between (`stride`) and around, by the flipped kernel.
 */
export function transposedConvolution(
  c: Compilation,
  emit: ProgramWriter['emit'],
  window: Window,
  values: Address,
  from: Picture,
  flipped: Address,
  out: Address,
  to: Picture,
  bias: Address = none,
  activation = activationKinds.linear,
): void {
  const { size, stride, dilation, before } = window;
  const reach = [0, 1].map((axis) => (size[axis]! - 1) * dilation[axis]!);
  const [top, left] = [reach[0]! - before[0], reach[1]! - before[1]];
  const larger: Picture = [to[0] + reach[0]!, to[1] + reach[1]!, from[2]];
  const isAsItIs = larger[0] === from[0] && larger[1] === from[1];
  const picture = isAsItIs ? values : framed(c, emit, values, from, larger, [top, left], stride);
  const ones: Pair = [1, 1];
  emit('convolution_forward', {
    ...{ in: picture, weights: flipped, bias, out, offsets: none },
    ...{ ...pictureOperands(larger), ...windowOperands({ ...window, stride: ones }), ...outOperands(to) },
    ...{ filters: to[2], activation },
  });
}

/** Behind pooling: only the winners of each window have a gradient. Adds by patches. */
function sparseBackward(
  c: Compilation,
  { window, to }: StageOf<'convolution'>,
  backward: ProgramWriter,
  picture: Values & { readonly picture: Picture; readonly offsets: Address },
  output: Values,
  kernel: { readonly weights: Address; readonly sums: Address },
): void {
  const [kernelHeight, kernelWidth] = window.size;
  const filters = to[2];
  const rowLength = kernelWidth * picture.picture[2];
  // Each filter by itself: [filters][kernelHeight][padded row]. One transposition for each row of the kernel.
  const stride = c.padded(Math.max(rowLength, shortRow));
  const filterSize = kernelHeight * stride;
  const byFilter = c.buffer(filters * filterSize);
  const gradientByFilter = c.buffer(filters * filterSize);
  c.packing.emit('transpose', {
    ...{ from: kernel.weights, to: byFilter, rows: rowLength, columns: filters },
    ...{ from_stride: filters, to_stride: filterSize, blocks: kernelHeight },
    ...{ from_block: rowLength * filters, to_block: stride },
  });
  backward.emit('clear_once', { to: gradientByFilter, size: filters * filterSize });
  if (picture.gradient !== none) backward.emit('clear', { to: picture.gradient, size: picture.size });
  backward.emit('convolution_backward', {
    ...{ in: picture.out, weights: byFilter, offsets: picture.offsets, gradient: output.gradient },
    ...{ weight_gradient: gradientByFilter, in_gradient: picture.gradient, scratch: c.buffer(2 * to[0] * to[1]) },
    ...{ ...pictureOperands(picture.picture), kernel_height: kernelHeight, kernel_width: kernelWidth },
    ...{ stride_height: window.stride[0], stride_width: window.stride[1], ...outOperands(to), filters },
  });
  backward.emit('transpose', {
    ...{ from: gradientByFilter, to: kernel.sums, rows: filters, columns: rowLength },
    ...{ from_stride: filterSize, to_stride: filters, blocks: kernelHeight },
    ...{ from_block: stride, to_block: rowLength * filters },
  });
}
