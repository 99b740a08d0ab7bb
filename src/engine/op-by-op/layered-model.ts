import type * as tfl from '@tensorflow/tfjs-layers';

import { layoutOf, type ParameterLayout } from '../../core/layout.js';
import type { SamplePlace } from '../engine.js';
import type { ModelSpec } from '../model-spec.js';
import { tf } from '../tensorflow.js';
import { dropoutMask } from './dropout-mask.js';
import { demandTrainable, untrainable, weightSpecsOf, type OpenLayer } from './layer-rules.js';
import { loadLayers } from './load-layers.js';

type LayerVariable = tfl.layers.Layer['weights'][number];

/** The forward pass that runs: where random masks come from, and where statistics go. */
interface Pass {
  readonly place: SamplePlace;
  /** Filled by the layers; kept, until whoever reads them disposes of them. */
  readonly statistics: Statistic[];
}

/** What a layer found in a micro-batch, and where it belongs in the extras. */
export interface Statistic {
  readonly extra: number;
  readonly mean: tf.Tensor;
}

/**
 * A LayersModel whose layers do nothing that only this process knows of: masks come from our keys, and the statistics of batch
 * normalisation go into the sums that travel instead of into its running averages.
 */
export class LayeredModel {
  readonly layout: ParameterLayout;
  /** In the layout's order. */
  private readonly variables: readonly tf.Variable[];
  /** While training. */
  private pass: Pass | undefined;

  private constructor(
    readonly model: tfl.LayersModel,
    private readonly seed: number,
  ) {
    const specs = model.layers.flatMap(weightSpecsOf);
    this.layout = layoutOf(specs);
    const weights = model.layers.flatMap((layer) => layer.weights);
    const byName = new Map(specs.map(({ name }, i) => [name, weights[i]!]));
    this.variables = this.layout.tensors.map(({ name }) => byName.get(name)!.read() as tf.Variable);
    for (const layer of model.layers) this.takeOver(layer);
  }

  /** @throws LockstepError `MODEL_UNSUPPORTED`, `LAYER_UNTRAINABLE` */
  static async create(spec: ModelSpec, seed: number): Promise<LayeredModel> {
    const model = await loadLayers(spec);
    for (const layer of model.layers) demandTrainable(layer);
    return new LayeredModel(model, seed);
  }

  /** Weights that gradients are for. */
  get trained(): readonly tf.Variable[] {
    const { tensors, parameterCount } = this.layout;
    return this.variables.filter((_, i) => tensors[i]!.offset < parameterCount);
  }

  /** @param weights - float32[weightCount] */
  setWeights(weights: Float32Array): void {
    tf.tidy(() =>
      this.layout.tensors.forEach(({ offset, size, shape }, i) => {
        this.variables[i]!.assign(tf.tensor(weights.slice(offset, offset + size), shape as number[]));
      }),
    );
  }

  /** @param x - (m, ...) @param statistics - those of this pass are added to it */
  train(x: tf.Tensor, place: SamplePlace, statistics: Statistic[]): tf.Tensor {
    this.pass = { place, statistics };
    try {
      return this.model.apply(x, { training: true }) as tf.Tensor;
    } finally {
      this.pass = undefined;
    }
  }

  evaluate(x: tf.Tensor): tf.Tensor {
    return this.model.apply(x, { training: false }) as tf.Tensor;
  }

  private takeOver(layer: tfl.layers.Layer): void {
    if (layer.getClassName() === 'Dropout') this.takeOverDropout(layer as OpenLayer);
    const averages = new Map(this.layout.averages.map(({ offset, extra }) => [offset, extra]));
    const offsets = new Map(this.layout.tensors.map(({ name, offset }) => [name, offset]));
    for (const weight of layer.weights) {
      const extra = averages.get(offsets.get(weight.originalName.replaceAll('/', '.'))!);
      if (extra !== undefined) this.takeOverAverage(layer as OpenLayer, weight, extra);
      else
        weight.write = () => {
          throw untrainable(layer, `it writes to its weight ${weight.originalName}`);
        };
    }
  }

  private takeOverDropout(layer: OpenLayer): void {
    const key = { seed: this.seed, layer: layer.name, rate: layer['rate'] as number };
    layer.call = (inputs) => {
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
      if (!this.pass || key.rate <= 0) return tf.clone(x);
      const m = x.shape[0];
      return tf.mul(x, tf.tensor(dropoutMask(key, this.pass.place, m, x.size / m), x.shape));
    };
  }

  /**
   * The layer writes `average - (average - statistic) * (1 - momentum)`. With an average of 0 and a momentum of 0 that is the
   * statistic itself, to the bit.
   */
  private takeOverAverage(layer: OpenLayer, weight: LayerVariable, extra: number): void {
    const zeros = tf.keep(tf.zeros(weight.shape as number[]));
    const variable = weight.read();
    layer['momentum'] = 0;
    weight.read = () => (this.pass ? zeros : variable);
    weight.write = (statistic) => {
      if (!this.pass) return weight; //                              the layer is tried alone: name-layer.ts
      this.pass.statistics.push({ extra, mean: tf.keep(tf.clone(statistic)) });
      return weight;
    };
  }
}
