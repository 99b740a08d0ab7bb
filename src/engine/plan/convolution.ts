import type { Stage } from './stages.js';
import { activationBackward, activationKinds, type Compilation, type Values } from './compilation.js';
import { none, type ProgramWriter } from './program.js';

/** The shortest row of a filter in kernels/convolution-backward.c. */
const shortRow = 8;

/** out = activation(pool(in * W) + b); pooling where the stage has it. Zeros around the picture are put there by a copy. */
export function compileConvolution(c: Compilation, stage: Stage & { kind: 'convolution' }, input: Values): Values {
  const { filters, window } = stage;
  const [outHeight, outWidth] = stage.outputShape as [number, number, number];
  const output = c.values(outHeight * outWidth * filters);
  const kernel = c.parameter(`${stage.name}.kernel`);
  const backward = c.backwardStage();

  activationBackward(backward, stage.activation, output);
  const bias = c.bias(stage.name, stage.useBias, filters, output.gradient, outHeight * outWidth, backward);
  const picture = withBorders(c, stage, input);
  const [kernelHeight, kernelWidth] = window.size;
  const rowLength = kernelWidth * picture.channels;
  const offsets = stage.pooled ? c.sampleBuffer(output.size) : none;
  const shape = {
    ...{ height: picture.height, width: picture.width, channels: picture.channels },
    ...{
      kernel_height: kernelHeight,
      kernel_width: kernelWidth,
      stride_height: window.stride[0],
      stride_width: window.stride[1],
    },
    ...{ out_height: outHeight, out_width: outWidth, filters },
  };
  const weights = c.packed(kernel.weights, kernelHeight * rowLength, filters);
  const activation = activationKinds[stage.activation];
  c.forward.emit('convolution_forward', {
    in: picture.out,
    weights,
    bias,
    out: output.out,
    offsets,
    ...shape,
    activation,
  });

  // Backward wants each filter by itself: [filters][kernelHeight][padded row]. One transposition for each row of the kernel.
  const stride = c.padded(Math.max(rowLength, shortRow));
  const filterSize = kernelHeight * stride;
  const byFilter = c.buffer(filters * filterSize);
  const gradientByFilter = c.buffer(filters * filterSize);
  c.packing.emit('transpose', {
    ...{
      from: kernel.weights,
      to: byFilter,
      rows: rowLength,
      columns: filters,
      from_stride: filters,
      to_stride: filterSize,
    },
    ...{ blocks: kernelHeight, from_block: rowLength * filters, to_block: stride },
  });
  backward.emit('clear_once', { to: gradientByFilter, size: filters * filterSize });
  if (picture.gradient !== none) backward.emit('clear', { to: picture.gradient, size: picture.size });
  backward.emit('convolution_backward', {
    ...{ in: picture.out, weights: byFilter, offsets, gradient: output.gradient },
    ...{
      weight_gradient: gradientByFilter,
      in_gradient: picture.gradient,
      scratch: c.buffer(2 * outHeight * outWidth),
    },
    ...shape,
  });
  backward.emit('transpose', {
    ...{
      from: gradientByFilter,
      to: kernel.sums,
      rows: filters,
      columns: rowLength,
      from_stride: filterSize,
      to_stride: filters,
    },
    ...{ blocks: kernelHeight, from_block: stride, to_block: rowLength * filters },
  });
  picture.takeOutGradient(backward);
  return output;
}

/** The input with its borders of zeros, which stay zero because nothing writes there. */
function withBorders(c: Compilation, stage: Stage & { kind: 'convolution' }, input: Values) {
  const [height, width, channels] = stage.inputShape as [number, number, number];
  const [top, left] = stage.window.before;
  const [bottom, right] = stage.window.after;
  if (top + left + bottom + right === 0) return { ...input, height, width, channels, takeOutGradient: () => undefined };
  const large = { height: top + height + bottom, width: left + width + right, channels };
  const size = large.height * large.width * channels;
  const out = c.sampleBuffer(size);
  const gradient = input.gradient === none ? none : c.sampleBuffer(size);
  const inside = { height, width, channels, top, left };
  c.forward.emit('pad', { from: input.out, to: out, ...inside, to_height: large.height, to_width: large.width });
  const takeOutGradient = (backward: ProgramWriter): void => {
    if (gradient === none) return;
    backward.emit('unpad', {
      from: gradient,
      to: input.gradient,
      ...inside,
      from_height: large.height,
      from_width: large.width,
    });
  };
  return { out, gradient, size, ...large, takeOutGradient };
}
