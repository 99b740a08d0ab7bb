import type { ParameterLayout } from '../../core/layout.js';
import type { Engine, EngineOptions, SamplePlace } from '../engine.js';
import { losses } from '../losses.js';
import type { LossName } from '../model-spec.js';
import { tf } from '../tensorflow.js';
import { untrainable } from './layer-rules.js';
import { LayeredModel } from './layered-model.js';
import { layerWithoutGradient } from './name-layer.js';
import { useWasmBackend } from './wasm-backend.js';

/** Engines that run a model op by op on a backend of TensorFlow.js. */
export type OpByOpName = 'wasm' | 'cpu';

const backends: Readonly<Record<OpByOpName, () => Promise<unknown>>> = {
  wasm: useWasmBackend,
  cpu: () => tf.setBackend('cpu'),
};

/**
 * Any model that TensorFlow.js can train, one operation after the other. `wasm`: for layers that no plan covers. `cpu`: what
 * the others are checked against, some thousand times slower than plans are.
 */
export class OpByOpEngine implements Engine {
  readonly deterministic = true;
  readonly x: Float32Array;
  readonly y: Int32Array;
  readonly targets: Float32Array;
  /** Of one sample. */
  private readonly inputShape: readonly number[];
  private readonly outputShape: readonly number[];

  private constructor(
    readonly name: OpByOpName,
    private readonly layered: LayeredModel,
    microBatchSize: number,
    private readonly loss: LossName,
  ) {
    const [input, output] = [layered.model.inputs[0]!, layered.model.outputs[0]!];
    this.inputShape = input.shape.slice(1) as number[];
    this.outputShape = output.shape.slice(1) as number[];
    this.x = new Float32Array(microBatchSize * sizeOf(this.inputShape));
    this.y = new Int32Array(microBatchSize);
    this.targets = new Float32Array(loss === 'softmaxCrossEntropy' ? 0 : microBatchSize * sizeOf(this.outputShape));
  }

  /** @throws LockstepError `MODEL_UNSUPPORTED`, `LAYER_UNTRAINABLE` */
  static async create(name: OpByOpName, { model, microBatchSize, seed = 0 }: EngineOptions): Promise<OpByOpEngine> {
    await backends[name]();
    const layered = await LayeredModel.create(model, seed);
    return new OpByOpEngine(name, layered, microBatchSize, model.loss ?? 'softmaxCrossEntropy');
  }

  get layout(): ParameterLayout {
    return this.layered.layout;
  }

  setWeights(weights: Float32Array): void {
    this.takeBackend();
    this.layered.setWeights(weights);
  }

  /** @throws LockstepError `LAYER_UNTRAINABLE` for a layer without a gradient */
  gradientSum(m: number, sum: Float32Array, place: SamplePlace = { epoch: 0, position: 0 }): void {
    this.takeBackend();
    const { layered, layout } = this;
    const extras = sum.subarray(layout.parameterCount);
    extras.fill(0);
    tf.tidy(() => {
      const { x, y } = this.samples(m);
      const forward = (): tf.Tensor => layered.train(x, place, extras);
      const { trained } = layered;
      let correct = 0;
      const { value, grads } = this.explaining(forward, () =>
        tf.variableGrads(() => {
          const outputs = forward();
          correct = losses[this.loss].correctCount(outputs, y); // here, since the outputs are disposed of behind this function
          return losses[this.loss].sum(outputs, y);
        }, trained as tf.Variable[]),
      );
      trained.forEach((variable, i) => sum.set(grads[variable.name]!.dataSync(), layout.tensors[i]!.offset));
      extras.set([value.dataSync()[0]!, correct]);
    });
  }

  evaluate(m: number, extras: Float32Array): void {
    this.takeBackend();
    tf.tidy(() => {
      const { x, y } = this.samples(m);
      const outputs = this.layered.evaluate(x);
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

  /** There is one current backend in a process; where two engines are compared, it changes, at once, since both have started. */
  private takeBackend(): void {
    if (tf.getBackend() !== this.name) void tf.setBackend(this.name);
  }

  /** `y`: classes int32[m], or targets shaped as the outputs. */
  private samples(m: number): { readonly x: tf.Tensor; readonly y: tf.Tensor } {
    const first = (values: Float32Array, shape: readonly number[]): tf.Tensor =>
      tf.tensor(values.slice(0, m * sizeOf(shape)), [m, ...shape]);
    return {
      x: first(this.x, this.inputShape),
      y:
        this.loss === 'softmaxCrossEntropy'
          ? tf.tensor1d(this.y.slice(0, m), 'int32')
          : first(this.targets, this.outputShape),
    };
  }

  private explaining<T>(forward: () => tf.Tensor, compute: () => T): T {
    try {
      return compute();
    } catch (error) {
      const found = layerWithoutGradient(this.layered.model, forward);
      throw found ? untrainable(found.layer, found.reason) : error;
    }
  }
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, d) => size * d, 1);
