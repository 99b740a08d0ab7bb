import { isFused, type Shape } from '../layers/source.js';
import { modelInput, type Layer, type Topology } from '../topology.js';
import type { Window } from '../layers/operation.js';

/** What one pass of kernels does: a layer, with the activation and the pooling behind it where a kernel takes them along. */
export type Stage = Layer & {
  /** Of a convolution: whether max pooling 2x2 comes between the sum and the activation. */
  readonly pooled: boolean;
  readonly outputShape: Shape;
  /** The layer whose output it gives. */
  readonly value: number;
};

/** A stage of one kind. */
export type StageOf<K extends Layer['kind']> = Stage & { readonly kind: K };

/** Joins layers into stages: a layer with the one before it, where nobody else wants what lies between them. */
export function stagesOf({ layers }: Topology): readonly Stage[] {
  const uses = usesOf(layers);
  const stages: Stage[] = [];
  for (const [value, layer] of layers.entries()) {
    const at = stages.findIndex((stage) => stage.value === layer.inputs[0]);
    const before = stages[at];
    const isAlone = before !== undefined && layer.inputs.length === 1 && uses[before.value] === 1;
    const joined = isAlone ? join(before, layer) : undefined;
    if (joined) stages[at] = { ...joined, value };
    else stages.push({ ...layer, pooled: false, value });
  }
  return stages;
}

/**
 * Compiles all stages, each from what those before it gave.
 *
 * @param share - one and the same output for `uses` stages: what each of them takes
 * @returns the model's output
 */
export function compileStages<Values>(
  topology: Topology,
  input: Values,
  compile: (stage: Stage, inputs: readonly Values[]) => Values,
  share: (stage: Stage, output: Values, uses: number) => Values[],
): Values {
  const uses = usesOf(topology.layers);
  /** What each layer gives, once for each time that it is an input. */
  const values = new Map<number, Values[]>();
  const take = (value: number): Values => (value === modelInput ? input : values.get(value)!.shift()!);
  let output = input;
  for (const stage of stagesOf(topology)) {
    output = compile(stage, stage.inputs.map(take));
    values.set(stage.value, share(stage, output, uses[stage.value]!));
  }
  return output;
}

/** How often each layer's output is an input. */
function usesOf(layers: readonly Layer[]): readonly number[] {
  const uses = layers.map(() => 0);
  for (const { inputs } of layers) for (const input of inputs) if (input in uses) uses[input]!++;
  return uses;
}

/** The stage before together with `layer`, where one kernel does both. */
function join(stage: Stage, layer: Layer): Stage | undefined {
  if (layer.kind === 'activation' && isFused(layer.activation) && stage.kind !== 'activation') {
    if (!('activation' in stage) || stage.activation !== 'linear') return undefined;
    if (stage.kind !== 'batchNormalisation') return { ...stage, activation: layer.activation };
    return layer.activation === 'relu' ? { ...stage, activation: 'relu' } : undefined;
  }
  // The largest of ReLUs is the ReLU of the largest, and where it is positive the same input wins. Behind a tanh, two inputs
  // that differ can round to one output, and then another input may win: that order is kept.
  if (stage.kind !== 'convolution' || stage.pooled || layer.kind !== 'maxPooling') return undefined;
  const commutes = stage.activation === 'linear' || stage.activation === 'relu';
  const isDense = stage.window.dilation.every((d) => d === 1);
  if (!commutes || !isDense || !isTwoByTwo(layer.window)) return undefined;
  return { ...stage, pooled: true, to: layer.to, outputShape: layer.outputShape };
}

function isTwoByTwo({ size, stride, before, after }: Window): boolean {
  return [...size, ...stride].every((d) => d === 2) && [...before, ...after].every((d) => d === 0);
}
