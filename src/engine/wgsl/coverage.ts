import type { Layer, Topology } from '../topology.js';

const kinds: ReadonlySet<Layer['kind']> = new Set([
  ...(['convolution', 'dense', 'maxPooling', 'averagePooling', 'identity', 'activation'] as const),
  ...(['dropout', 'merge', 'batchNormalisation', 'layerNormalisation', 'softmax'] as const),
  ...(['concatenation', 'padding', 'cropping', 'permutation'] as const),
]);

/** How many gradients of one value, or inputs of one layer, a kernel adds up: devices bind eight arrays at least. */
const mostInputs = 4;

/** The first layer that a GPU's plans do not cover, and why; undefined if there is none. */
export function gapInGpuPlans({ layers }: Topology): { readonly layer: string; readonly reason: string } | undefined {
  for (const [value, layer] of layers.entries()) {
    const { name, kind, inputs } = layer;
    if (!kinds.has(kind)) return { layer: name, reason: `there is no GPU kernel for ${kind}` };
    if (inputs.length > mostInputs) return { layer: name, reason: `it has ${inputs.length} inputs` };
    const uses = layers.flatMap((other) => other.inputs).filter((input) => input === value).length;
    if (uses > mostInputs) return { layer: name, reason: `${uses} layers take its output` };
  }
  return undefined;
}
