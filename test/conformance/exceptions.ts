/** Specs of TensorFlow.js's suite that fail on a backend, and why. One that passes after all fails the run. */

type Exceptions = Readonly<Record<string, readonly string[]>>;

/** By engine, then by reason. */
const exceptions: Readonly<Record<string, Exceptions>> = {
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

/** @returns the reason of each spec that fails, by its name without the environment */
export function exceptionsOf(engine: string): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(exceptions[engine] ?? {}).flatMap(([reason, names]) => names.map((name) => [name, reason] as const)),
  );
}
