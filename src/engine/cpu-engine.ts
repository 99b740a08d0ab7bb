import * as tfl from '@tensorflow/tfjs-layers';

import { layoutOf, type ParameterLayout } from '../core/layout.js';
import type { Engine, EngineOptions } from './engine.js';
import { fault } from './faults.js';
import { losses } from './losses.js';
import type { LossName, ModelSpec } from './model-spec.js';
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
  readonly targets: Float32Array;
  private readonly variables: readonly tf.Variable[];
  /** Of one sample. */
  private readonly inputShape: readonly number[];
  private readonly outputShape: readonly number[];

  private constructor(
    private readonly model: tfl.LayersModel,
    microBatchSize: number,
    private readonly loss: LossName,
  ) {
    this.variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    this.layout = layoutOf(
      model.trainableWeights.map((w) => ({ name: w.originalName.replace('/', '.'), shape: w.shape as number[] })),
    );
    this.inputShape = model.inputs[0]!.shape.slice(1) as number[];
    this.x = new Float32Array(microBatchSize * this.inputShape.reduce((size, d) => size * d, 1));
    this.y = new Int32Array(microBatchSize);
    this.outputShape = model.outputs[0]!.shape.slice(1) as number[];
    const targetSize = loss === 'softmaxCrossEntropy' ? 0 : this.outputShape.reduce((size, d) => size * d, 1);
    this.targets = new Float32Array(microBatchSize * targetSize);
  }

  /** @throws LockstepError `MODEL_UNSUPPORTED` */
  static async create({ model: spec, microBatchSize }: EngineOptions): Promise<CpuEngine> {
    await tf.setBackend('cpu');
    const model = await tfl.loadLayersModel({ load: async () => ({ modelTopology: spec.topology as object }) });
    demandTrainable(spec, model);
    return new CpuEngine(model, microBatchSize, spec.loss ?? 'softmaxCrossEntropy');
  }

  setWeights(weights: Float32Array): void {
    tf.tidy(() =>
      this.layout.tensors.forEach(({ offset, size, shape }, i) => {
        this.variables[i]!.assign(tf.tensor(weights.slice(offset, offset + size), shape as number[]));
      }),
    );
  }

  gradientSum(m: number, sum: Float32Array): void {
    tf.tidy(() => {
      const { x, y } = this.samples(m);
      let correct = 0;
      const { value, grads } = tf.variableGrads(() => {
        const outputs = this.model.apply(x, { training: true }) as tf.Tensor;
        correct = losses[this.loss].correctCount(outputs, y); // here, since the outputs are disposed of behind this function
        return losses[this.loss].sum(outputs, y);
      }, this.variables as tf.Variable[]);
      this.layout.tensors.forEach(({ offset }, i) => sum.set(grads[this.variables[i]!.name]!.dataSync(), offset));
      sum.set([value.dataSync()[0]!, correct], this.layout.parameterCount);
    });
  }

  evaluate(m: number, extras: Float32Array): void {
    tf.tidy(() => {
      const { x, y } = this.samples(m);
      const outputs = this.model.apply(x, { training: false }) as tf.Tensor;
      const { sum, correctCount } = losses[this.loss];
      extras.set([sum(outputs, y).dataSync()[0]!, correctCount(outputs, y)]);
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

  /** `y`: classes int32[m], or targets shaped as the outputs. */
  private samples(m: number): { readonly x: tf.Tensor; readonly y: tf.Tensor } {
    const first = (values: Float32Array, shape: readonly number[]): tf.Tensor =>
      tf.tensor(values.slice(0, m * shape.reduce((size, d) => size * d, 1)), [m, ...shape]);
    return {
      x: first(this.x, this.inputShape),
      y:
        this.loss === 'softmaxCrossEntropy'
          ? tf.tensor1d(this.y.slice(0, m), 'int32')
          : first(this.targets, this.outputShape),
    };
  }
}

function demandTrainable({ name }: ModelSpec, model: tfl.LayersModel): void {
  if (model.inputs.length !== 1 || model.outputs.length !== 1)
    throw fault('MODEL_UNSUPPORTED', { model: name, reason: 'it has more than one input or output' });
  const [fixed] = model.nonTrainableWeights;
  if (fixed) throw fault('MODEL_UNSUPPORTED', { model: name, reason: `${fixed.originalName} is not trainable` });
}
