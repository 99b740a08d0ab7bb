/** Specs of TensorFlow.js's suite that fail on a backend, and why. One that passes after all fails the run. */

import { tensorflowExceptions } from './tensorflow-exceptions.js';

type Exceptions = Readonly<Record<string, readonly string[]>>;

/** By engine, then by reason. */
const exceptions: Readonly<Record<string, Exceptions>> = {
  tensorflow: tensorflowExceptions,
  webgpu: {
    "it takes a browser's canvas, which Node.js does not have": [
      'fromPixels, mock canvas accepts a canvas-like element',
      'fromPixels, mock canvas accepts a canvas-like element, numChannels=4',
    ],
    'a shader cannot throw: an index outside is read as zero, and looking first would mean to wait for the GPU': [
      'gather throws when index is out of bound',
    ],
    'a maximum without NaN: SwiftShader, like other drivers, returns the other argument of max()': [
      'softmax Propagates NaNs',
    ],
    'tan of 10^9 and more: the argument is reduced in float32, where only arguments below some 10^5 keep their digits':
      ['tan numbers exceed float32 precision'],
    "one pixel at the threshold, which follows from a comparison of sums that differ in their last bits from the processor's":
      ['threshold method otsu', 'threshold method otsu, inverted = true'],
  },
};

export interface Exception {
  /** A name without the environment; one that ends in a star stands for all that begin so. */
  readonly listed: string;
  readonly reason: string;
  /** Whether a spec of this name is meant. */
  readonly fits: (name: string) => boolean;
}

export function exceptionsOf(engine: string): readonly Exception[] {
  return Object.entries(exceptions[engine] ?? {}).flatMap(([reason, names]) =>
    names.map((listed) => {
      const begin = listed.endsWith('*') ? listed.slice(0, -1) : undefined;
      const fits = (name: string): boolean => (begin === undefined ? name === listed : name.startsWith(begin));
      return { listed, reason, fits };
    }),
  );
}
