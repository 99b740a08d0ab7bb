import { LockstepError } from '../../core/errors.js';
import type { ParameterLayout } from '../../core/layout.js';
import type { SampleFormat } from '../../data/dataset.js';
import type { Engine, EngineOptions, SamplePlace } from '../engine.js';
import { losses, type Loss } from '../losses.js';
import { loadOwnLoss } from '../own-loss.js';
import { tf } from '../tensorflow.js';
import { untrainable } from './layer-rules.js';
import { LayeredModel, type Statistic } from './layered-model.js';
import { layerWithoutGradient } from './name-layer.js';
import { opByOpBackends, type OpByOpBackend, type OpByOpName } from './op-by-op-backends.js';
import { sizeOf } from '../../core/shape.js';

/**
 * Any model that TensorFlow.js can train, one operation after the other. `wasm`: for layers that no plan covers. `cpu`: what
 * the others are checked against, some thousand times slower than plans are. `webgpu`: on a GPU, whose results can only be had
 * by waiting.
 */
export class OpByOpEngine implements Engine {
  readonly x: Float32Array;
  readonly y: Int32Array;
  readonly targets: Float32Array;
  /** Of one sample. */
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];

  private lossScale = 1;

  private constructor(
    readonly name: OpByOpName,
    private readonly backend: OpByOpBackend,
    private readonly layered: LayeredModel,
    microBatchSize: number,
    private readonly loss: Loss,
    /** Of a sample, for the loss; absent where labels are classes. */
    private readonly labels: SampleFormat | undefined,
  ) {
    const [input, output] = [layered.model.inputs[0]!, layered.model.outputs[0]!];
    this.inputShape = input.shape.slice(1) as number[];
    this.outputShape = output.shape.slice(1) as number[];
    this.x = new Float32Array(microBatchSize * sizeOf(this.inputShape));
    this.y = new Int32Array(microBatchSize);
    this.targets = new Float32Array(labels ? microBatchSize * sizeOf(labels.shape) : 0);
  }

  /** @throws LockstepError `MODEL_UNSUPPORTED`, `LAYER_UNTRAINABLE`; and what starting the backend throws */
  static async create(name: OpByOpName, options: EngineOptions): Promise<OpByOpEngine> {
    const { model, microBatchSize, seed = 0, gpu = 'auto', ownLoss } = options;
    const backend = await opByOpBackends[name]({ gpu, microBatchSize });
    const layered = await LayeredModel.create(model, seed);
    const outputs = { shape: layered.model.outputs[0]!.shape.slice(1) as number[], dtype: 'float32' } as const;
    const { loss: named = 'softmaxCrossEntropy' } = model;
    const [loss, labels] =
      named === 'own'
        ? [await loadOwnLoss(ownLoss!), ownLoss!.labels]
        : [losses[named], named === 'softmaxCrossEntropy' ? undefined : outputs];
    return new OpByOpEngine(name, backend, layered, microBatchSize, loss, labels);
  }

  get deterministic(): boolean {
    return this.backend.deterministic;
  }

  get layout(): ParameterLayout {
    return this.layered.layout;
  }

  setLossScale(scale: number): void {
    this.lossScale = scale;
  }

  setWeights(weights: Float32Array): Promise<void> {
    return this.backend.run(async () => {
      this.takeBackend();
      this.layered.setWeights(weights);
    });
  }

  /** @throws LockstepError `LAYER_UNTRAINABLE` for a layer without a gradient; and what the backend throws */
  gradientSum(m: number, sum: Float32Array, place: SamplePlace = { epoch: 0, position: 0 }): Promise<void> {
    return this.backend.run(async () => {
      this.takeBackend();
      const { parameterCount, tensors } = this.layout;
      const statistics: Statistic[] = [];
      const results = tf.tidy(() => this.lossAndGradients(m, place, statistics));
      try {
        const extras = sum.subarray(parameterCount);
        extras.fill(0);
        extras.set([(await numberIn(results.loss)) / this.lossScale, await numberIn(results.correctCount)]);
        for (const [i, gradient] of results.gradients.entries()) sum.set(await gradient.data(), tensors[i]!.offset);
        for (const { extra, mean } of statistics)
          (await mean.data()).forEach((value, i) => (extras[extra + i] = value * m));
      } finally {
        tf.dispose([results, statistics.map(({ mean }) => mean)] as tf.TensorContainer);
      }
    });
  }

  evaluate(m: number, extras: Float32Array): Promise<void> {
    return this.backend.run(async () => {
      this.takeBackend();
      const { loss, correctCount } = tf.tidy(() => {
        const { x, y } = this.samples(m);
        return this.lossOf(this.layered.evaluate(x), y);
      });
      extras.set([await numberIn(loss), await numberIn(correctCount)]);
      tf.dispose([loss, correctCount]);
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

  /** Frees the weights; it cannot be used any more. */
  dispose(): void {
    this.takeBackend();
    this.layered.model.dispose();
  }

  close(): void {
    this.backend.close?.();
  }

  /** There is one current backend in a process; where two engines are compared, it changes, at once, since both have started. */
  private takeBackend(): void {
    if (tf.getBackend() !== this.name) void tf.setBackend(this.name);
  }

  /** `y`: classes int32[m], or targets shaped as the outputs, or whatever labels a loss of the user's own takes. */
  private samples(m: number): { readonly x: tf.Tensor; readonly y: tf.Tensor } {
    const { labels } = this;
    const first = (values: Float32Array, shape: readonly number[], dtype?: 'int32'): tf.Tensor =>
      tf.tensor(values.slice(0, m * sizeOf(shape)), [m, ...shape], dtype);
    return {
      x: first(this.x, this.inputShape),
      y: labels
        ? first(this.targets, labels.shape, labels.dtype === 'float32' ? undefined : 'int32')
        : tf.tensor1d(this.y.slice(0, m), 'int32'),
    };
  }

  private lossAndGradients(m: number, place: SamplePlace, statistics: Statistic[]) {
    const { x, y } = this.samples(m);
    const { layered } = this;
    const { trained } = layered;
    const forward = (): tf.Tensor => layered.train(x, place, statistics);
    let correctCount: tf.Tensor | undefined;
    const { value: loss, grads } = this.explaining(forward, () =>
      tf.variableGrads(() => {
        const result = this.lossOf(forward(), y); //                  here, since the outputs are disposed of behind this function
        correctCount = tf.keep(result.correctCount);
        return this.lossScale === 1 ? result.loss : tf.mul<tf.Scalar>(result.loss, this.lossScale);
      }, trained as tf.Variable[]),
    );
    return { loss, correctCount: correctCount!, gradients: trained.map(({ name }) => grads[name]!) };
  }

  private lossOf(outputs: tf.Tensor, y: tf.Tensor): { readonly loss: tf.Scalar; readonly correctCount: tf.Tensor } {
    const { sum, correctCount } = this.loss;
    return { loss: sum(outputs, y), correctCount: correctCount(outputs, y) };
  }

  private explaining<T>(forward: () => tf.Tensor, compute: () => T): T {
    try {
      return compute();
    } catch (error) {
      if (error instanceof LockstepError) throw error; //               it was found, and named
      const found = layerWithoutGradient(this.layered.model, forward);
      throw found ? untrainable(found.layer, found.reason) : error;
    }
  }
}

const numberIn = async (scalar: tf.Tensor): Promise<number> => (await scalar.data())[0]!;
