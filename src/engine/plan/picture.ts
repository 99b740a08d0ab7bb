import type { Slide, Window } from '../layers/operation.js';
import type { Pair, Picture } from '../layers/source.js';
import type { Compilation, Values } from './compilation.js';
import { none, type Address, type ProgramWriter } from './program.js';

/** Elements of a picture. */
export const elements = ([height, width, channels]: Picture): number => height * width * channels;

/** A picture for the kernels that move a window over it. */
export interface Framed extends Values {
  readonly picture: Picture;
  /** Writes the gradient of what is inside of the frame to where it belongs. */
  readonly takeOutGradient: (backward: ProgramWriter) => void;
}

/** The input with its borders of zeros, which stay zero because nothing writes there. */
export function withBorders(c: Compilation, { from, window }: Slide, input: Values): Framed {
  const [height, width, channels] = from;
  const [top, left] = window.before;
  const [bottom, right] = window.after;
  if (top + left + bottom + right === 0) return { ...input, picture: from, takeOutGradient: () => undefined };
  const picture: Picture = [top + height + bottom, left + width + right, channels];
  const out = framed(c, (name, operands) => c.forward(name, operands), input.out, from, picture, window.before, [1, 1]);
  const gradient = input.gradient === none ? none : c.sampleBuffer(elements(picture));
  const takeOutGradient = (backward: ProgramWriter): void => {
    if (gradient === none) return;
    backward.emit('unpad', {
      ...{ from: gradient, to: input.gradient, height, width, channels, top, left },
      ...{ from_height: picture[0], from_width: picture[1] },
    });
  };
  return { out, gradient, size: elements(picture), picture, takeOutGradient };
}

/**
 * A copy of a picture in a larger one of zeros.
 *
 * @param step - distance of what were neighbours: 1 leaves them side by side
 */
export function framed(
  c: Compilation,
  emit: ProgramWriter['emit'],
  from: Address,
  [height, width, channels]: Picture,
  larger: Picture,
  [top, left]: Pair,
  [step_height, step_width]: Pair,
): Address {
  const to = c.sampleBuffer(elements(larger));
  emit('pad', {
    ...{ from, to, height, width, channels, top, left, step_height, step_width },
    ...{ to_height: larger[0], to_width: larger[1] },
  });
  return to;
}

/** A window's operands, as the kernels call them. */
export function windowOperands({ size, stride, dilation }: Window) {
  return {
    ...{ kernel_height: size[0], kernel_width: size[1] },
    ...{ stride_height: stride[0], stride_width: stride[1] },
    ...{ dilation_height: dilation[0], dilation_width: dilation[1] },
  };
}

export function pictureOperands([height, width, channels]: Picture) {
  return { height, width, channels };
}

export function outOperands([out_height, out_width]: Picture) {
  return { out_height, out_width };
}
