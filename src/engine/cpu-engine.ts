import * as tfl from '@tensorflow/tfjs-layers';

import { layoutOf, type ParameterLayout } from '../core/layout.js';
import type { Engine, EngineOptions } from './engine.js';
import { fault } from './faults.js';
import type { ModelSpec } from './model-spec.js';
import { tf } from './tensorflow.js';

/**
 * TensorFlow.js in plain JavaScript: any sequential or functional model whose weights are all trainable. It is what the
 * other engines are checked against, and some four thousand times slower than they are.
 */
export class CpuEngine implements Engine {
  readonly name = 'cpu';
  readonly deterministic = true;
  readonly layout: ParameterLayout;
  readonly x: Float32Array;
  readonly y: Int32Array;
  private readonly variables: readonly tf.Variable[];
  /** Of one sample. */
  private readonly inputShape: readonly number[];

  private constructor(
    private readonly model: tfl.LayersModel,
    microBatchSize: number,
  ) {
    this.variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    this.layout = layoutOf(
      model.trainableWeights.map((w) => ({ name: w.originalName.replace('/', '.'), shape: w.shape as number[] })),
    );
    this.inputShape = model.inputs[0]!.shape.slice(1) as number[];
    this.x = new Float32Array(microBatchSize * this.inputShape.reduce((size, d) => size * d, 1));
    this.y = new Int32Array(microBatchSize);
  }

  /** @throws LockstepError `MODEL_UNSUPPORTED` */
  static async create({ model: spec, microBatchSize }: EngineOptions): Promise<CpuEngine> {
    await tf.setBackend('cpu');
    const model = await tfl.loadLayersModel({ load: async () => ({ modelTopology: spec.topology as object }) });
    demandLogits(spec, model);
    return new CpuEngine(model, microBatchSize);
  }

  gradientSum(m: number, weights: Float32Array, sum: Float32Array): void {
    tf.tidy(() => {
      this.setWeights(weights);
      const { x, y } = this.samples(m);
      let correct = 0;
      const { value, grads } = tf.variableGrads(() => {
        const logits = this.model.apply(x, { training: true }) as tf.Tensor2D;
        correct = correctCount(logits, y); // here, because the logits are disposed of when this function returns
        return lossSum(logits, y);
      }, this.variables as tf.Variable[]);
      this.layout.tensors.forEach(({ offset }, i) => sum.set(grads[this.variables[i]!.name]!.dataSync(), offset));
      sum.set([value.dataSync()[0]!, correct], this.layout.parameterCount);
    });
  }

  evaluate(m: number, weights: Float32Array, extras: Float32Array): void {
    tf.tidy(() => {
      this.setWeights(weights);
      const { x, y } = this.samples(m);
      const logits = this.model.apply(x, { training: false }) as tf.Tensor2D;
      extras.set([lossSum(logits, y).dataSync()[0]!, correctCount(logits, y)]);
    });
  }

  add(target: Float32Array, source: Float32Array): void {
    if (target.length !== source.length)
      throw new RangeError(`cannot add ${source.length} elements to ${target.length}`);
    for (let i = 0; i < target.length; i++) target[i] = target[i]! + source[i]!; // float64, then rounded: the same as in float32
  }

  tensorCount(): number {
    return tf.memory().numTensors;
  }

  private setWeights(weights: Float32Array): void {
    this.layout.tensors.forEach(({ offset, size, shape }, i) => {
      this.variables[i]!.assign(tf.tensor(weights.slice(offset, offset + size), shape as number[]));
    });
  }

  private samples(m: number): { readonly x: tf.Tensor; readonly y: tf.Tensor1D } {
    const sampleSize = this.x.length / this.y.length;
    return {
      x: tf.tensor(this.x.slice(0, m * sampleSize), [m, ...this.inputShape]),
      y: tf.tensor1d(this.y.slice(0, m), 'int32'),
    };
  }
}

/** Sum over samples of the softmax cross-entropy. */
function lossSum(logits: tf.Tensor2D, y: tf.Tensor1D): tf.Scalar {
  const answers = tf.oneHot(y, logits.shape[1], 1, 0, 'float32');
  return tf.neg<tf.Scalar>(tf.sum(tf.mul(answers, tf.logSoftmax(logits))));
}

function correctCount(logits: tf.Tensor2D, y: tf.Tensor1D): number {
  return tf.sum(tf.equal(tf.argMax(logits, 1), y)).dataSync()[0]!;
}

function demandLogits({ name }: ModelSpec, model: tfl.LayersModel): void {
  const shape = model.outputs[0]?.shape ?? [];
  if (model.inputs.length !== 1 || model.outputs.length !== 1 || shape.length !== 2) {
    throw fault('MODEL_UNSUPPORTED', {
      model: name,
      reason: 'it has more than one input or output, or an output that is not a vector',
    });
  }
  const [fixed] = model.nonTrainableWeights;
  if (fixed) throw fault('MODEL_UNSUPPORTED', { model: name, reason: `${fixed.originalName} is not trainable` });
}
