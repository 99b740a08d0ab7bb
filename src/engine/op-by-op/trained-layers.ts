import type * as tfl from '@tensorflow/tfjs-layers';

import { layoutOf } from '../../core/layout.js';
import { dataOf, weightsFrom } from '../../store/safetensors.js';
import { tf } from '../tensorflow.js';
import type { TrainedModel } from '../trained-model.js';
import { loadLayers, nameOfWeight } from './load-layers.js';
import { useWasmBackend } from './wasm-backend.js';

/** Samples that go through the model at once. */
const batchSize = 128;

/** TensorFlow.js's own model, with the weights that training left. */
export class TrainedLayers {
  private constructor(
    private readonly trained: TrainedModel,
    private readonly layers: tfl.LayersModel,
  ) {}

  /** @throws LockstepError as `loadLayers` and `weightsFrom` do */
  static async load(trained: TrainedModel): Promise<TrainedLayers> {
    await useWasmBackend();
    const layers = await loadLayers(trained.model);
    const layout = layoutOf(
      layers.weights.map((weight) => ({ name: nameOfWeight(weight), shape: weight.shape as number[] })),
    );
    const weights = weightsFrom({ tensors: trained.tensors, metadata: {} }, layout, trained.path);
    const values = layout.tensors.map(({ shape, offset, size }) =>
      tf.tensor(weights.slice(offset, offset + size), [...shape]),
    );
    layers.setWeights(values);
    tf.dispose(values);
    return new TrainedLayers(trained, layers);
  }

  /** Of one sample. */
  get inputShape(): readonly number[] {
    return this.layers.inputs[0]!.shape.slice(1) as number[];
  }

  /** @param x - float32[count * sampleSize] @returns one array for each sample, what the model gives for it */
  predict(x: Float32Array, count: number): readonly Float32Array[] {
    const shape = this.inputShape;
    const size = x.length / count;
    const outputs: Float32Array[] = [];
    for (let first = 0; first < count; first += batchSize) {
      const m = Math.min(batchSize, count - first);
      const given = tf.tensor(x.slice(first * size, (first + m) * size), [m, ...shape]);
      const result = this.layers.predict(given) as tf.Tensor;
      const values = result.dataSync<'float32'>();
      for (let i = 0; i < m; i++) outputs.push(values.slice((i * values.length) / m, ((i + 1) * values.length) / m));
      tf.dispose([given, result]);
    }
    return outputs;
  }

  /** The two files of TensorFlow.js's layers format. @param weightsFile - name of the second, beside the first */
  files(weightsFile: string): { readonly json: string; readonly weights: Buffer } {
    const { topology, loss, inputScaling } = this.trained.model;
    const tensors = this.layers.weights.map((weight) => ({
      name: weight.originalName,
      shape: weight.shape as number[],
      data: weight.read().dataSync<'float32'>(),
    }));
    const weights = tensors.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
    const content = {
      format: 'layers-model',
      generatedBy: 'lockstep',
      convertedBy: null,
      modelTopology: topology,
      weightsManifest: [{ paths: [weightsFile], weights }],
      userDefinedMetadata: { lockstep: { inputScaling, ...(loss && loss !== 'own' ? { loss } : {}) } },
    };
    return { json: `${JSON.stringify(content, undefined, 1)}\n`, weights: Buffer.concat(tensors.map(dataOf)) };
  }
}
