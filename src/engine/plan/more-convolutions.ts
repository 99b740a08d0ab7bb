/** Depthwise and transposed convolutions. */
import type { Picture } from '../layers/source.js';
import { activationBackward, activationKinds } from './activation.js';
import type { Compilation, Values } from './compilation.js';
import { flippedKernel, transposedConvolution, weightGradient } from './convolution.js';
import { elements, framed, outOperands, pictureOperands, windowOperands, withBorders } from './picture.js';
import { none } from './program.js';
import type { StageOf } from './stages.js';

/** Each channel by itself. With several outputs a channel, channels are first repeated. */
export function compileDepthwise(c: Compilation, stage: StageOf<'depthwiseConvolution'>, input: Values): Values {
  const { from, to, window, multiplier } = stage;
  const output = c.values(elements(to));
  const kernel = c.parameter(stage.weights[0]!);
  const backward = c.backwardStage();

  activationBackward(backward, stage.activation, output);
  const bias = c.bias(stage, to[2], output.gradient, to[0] * to[1], backward);
  const repeated = repeatedChannels(c, from, multiplier, input);
  const wide: Picture = [from[0], from[1], to[2]];
  const picture = withBorders(c, { ...stage, from: wide }, repeated);
  const weights = c.packed(kernel.weights, 1, kernel.size);
  const shape = { ...pictureOperands(picture.picture), ...windowOperands(window), ...outOperands(to) };
  const activation = activationKinds[stage.activation];
  c.forward('depthwise_forward', { in: picture.out, weights, bias, out: output.out, ...shape, activation });

  if (picture.gradient !== none) backward.emit('clear', { to: picture.gradient, size: picture.size });
  backward.emit('depthwise_backward', {
    ...{ in: picture.out, weights, gradient: output.gradient, weight_gradient: kernel.sums },
    ...{ in_gradient: picture.gradient, ...shape },
  });
  picture.takeOutGradient(backward);
  if (repeated !== input && input.gradient !== none)
    backward.emit('sum_channels', {
      ...{ from: repeated.gradient, to: input.gradient },
      ...{ pixels: from[0] * from[1], channels: from[2], times: multiplier },
    });
  return output;
}

function repeatedChannels(c: Compilation, from: Picture, times: number, input: Values): Values {
  if (times === 1) return input;
  const size = input.size * times;
  const gradient = input.gradient === none ? none : c.sampleBuffer(size);
  const out = c.sampleBuffer(size);
  c.forward('repeat_channels', { from: input.out, to: out, pixels: from[0] * from[1], channels: from[2], times });
  return { out, gradient, size };
}

/** The transpose of a convolution over the output: forward as that one's backward, backward as its forward. */
export function compileTransposed(c: Compilation, stage: StageOf<'transposedConvolution'>, input: Values): Values {
  const { from, to, window } = stage;
  const output = c.values(elements(to));
  const kernel = c.parameter(stage.weights[0]!); //               [height][width][filters][channels]
  const backward = c.backwardStage();
  const [filters, channels] = [to[2], from[2]];

  activationBackward(backward, stage.activation, output);
  const bias = c.bias(stage, filters, output.gradient, to[0] * to[1], backward);
  const flipped = flippedKernel(c, kernel.weights, window, filters, channels);
  const activation = activationKinds[stage.activation];
  const forward = c.forward.bind(c);
  transposedConvolution(c, forward, window, input.out, from, flipped, output.out, to, bias, activation);

  const [top, left] = window.before;
  const [bottom, right] = window.after;
  const larger: Picture = [top + to[0] + bottom, left + to[1] + right, filters];
  const isAsItIs = larger[0] === to[0] && larger[1] === to[1];
  const emit = backward.emit.bind(backward);
  const gradient = isAsItIs ? output.gradient : framed(c, emit, output.gradient, to, larger, window.before, [1, 1]);
  weightGradient(backward, window, gradient, larger, input.out, from, kernel.sums);
  if (input.gradient === none) return output;
  const weights = c.packed(kernel.weights, window.size[0] * window.size[1] * filters, channels);
  backward.emit('convolution_forward', {
    ...{ in: gradient, weights, bias: none, out: input.gradient, offsets: none },
    ...{ ...pictureOperands(larger), ...windowOperands(window), ...outOperands(from) },
    ...{ filters: channels, activation: activationKinds.linear },
  });
  return output;
}
