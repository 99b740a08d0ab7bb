import type { ActivationName, Layer, Shape, Topology, Window } from '../topology.js';

/** What one pass of kernels does: a layer, with the activation and the pooling behind it where a kernel takes them along. */
export type Stage = { readonly name: string; readonly inputShape: Shape; readonly outputShape: Shape } & (
  | {
      readonly kind: 'convolution';
      readonly window: Window;
      readonly filters: number;
      readonly useBias: boolean;
      /** Whether max pooling 2x2 comes between the sum and the activation. */
      readonly pooled: boolean;
      readonly activation: ActivationName;
    }
  | { readonly kind: 'maxPooling'; readonly window: Window }
  | { readonly kind: 'dense'; readonly useBias: boolean; readonly activation: ActivationName }
  | { readonly kind: 'activation'; readonly activation: ActivationName }
);

/** Joins layers into stages. Flatten disappears: activations lie in HWC order without gaps, so it moves nothing. */
export function stagesOf({ layers }: Topology): readonly Stage[] {
  const stages: Stage[] = [];
  for (const layer of layers) {
    const previous = stages.at(-1);
    const joined = previous && join(previous, layer);
    if (joined) stages[stages.length - 1] = joined;
    else stages.push(...stageOf(layer));
  }
  return stages;
}

function stageOf(layer: Layer): readonly Stage[] {
  switch (layer.kind) {
    case 'flatten':
      return [];
    case 'convolution':
      return [{ ...layer, pooled: false }];
    case 'activation':
      return layer.activation === 'linear' ? [] : [layer];
    default:
      return [layer];
  }
}

/** The stage before together with `layer`, where one kernel does both. */
function join(stage: Stage, layer: Layer): Stage | undefined {
  if (layer.kind === 'activation' && 'activation' in stage && stage.activation === 'linear') {
    return { ...stage, activation: layer.activation };
  }
  // The largest of ReLUs is the ReLU of the largest, and where it is positive the same input wins. Behind a tanh, two inputs
  // that differ can round to one output, and then another input may win: that order is kept.
  const commutes = stage.kind === 'convolution' && (stage.activation === 'linear' || stage.activation === 'relu');
  if (commutes && !stage.pooled && layer.kind === 'maxPooling' && isTwoByTwo(layer.window)) {
    return { ...stage, pooled: true, outputShape: layer.outputShape };
  }
  return undefined;
}

function isTwoByTwo({ size, stride, before, after }: Window): boolean {
  return [...size, ...stride].every((d) => d === 2) && [...before, ...after].every((d) => d === 0);
}
