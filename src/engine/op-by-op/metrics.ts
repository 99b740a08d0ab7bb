/** Metrics of a run: what evaluations compute beside the loss. */
import type { MetricSpec } from '../../core/run-spec.js';
import type { SampleFunction } from '../../own/definition.js';
import { fault } from '../../own/faults.js';
import { loadRunModule } from '../../own/load-module.js';
import { metricsOf } from '../../own/metrics.js';
import { builtInMetrics } from '../built-in-metrics.js';
import type { Engine } from '../engine.js';
import { isClassNumber } from '../has-accuracy.js';
import type { MetricOptions } from '../metric-options.js';
import type { ModelSpec } from '../model-spec.js';
import { sampleValues, type Origin } from '../sample-values.js';
import { tf } from '../tensorflow.js';
import { LayeredModel } from './layered-model.js';
import { useWasmBackend } from './wasm-backend.js';
import { sizeOf } from '../../core/shape.js';

interface Metric extends Origin {
  readonly valuesOf: SampleFunction;
}

/** Where a micro-batch lies: the inputs of the engine that trains. */
export type MicroBatch = Pick<Engine, 'x' | 'y' | 'targets'>;

/**
 * Computes metrics op by op on TensorFlow.js's wasm backend, whatever engine trains: plans keep their outputs to themselves, and
 * so the values depend on the weights alone.
 */
export class Metrics {
  private constructor(
    private readonly layered: LayeredModel,
    private readonly metrics: readonly Metric[],
    private readonly labels: MetricOptions['labels'],
  ) {}

  /** @throws LockstepError as `loadRunModule` does */
  static async create(model: ModelSpec, { metrics, path, labels }: MetricOptions): Promise<Metrics> {
    await useWasmBackend();
    const functions = metrics.some(({ of }) => of === 'own') ? metricsOf(await loadRunModule(path)) : [];
    const valuesOf = ({ name, of }: MetricSpec): SampleFunction => {
      if (of !== 'own') return builtInMetrics[of];
      const own = functions.find((metric) => metric.name === name)?.of;
      if (typeof own !== 'function') throw new Error(`${path} has no metric ${name} of its own any more`);
      return own;
    };
    const loaded = metrics.map((metric) => ({ path, name: `metrics.${metric.name}`, valuesOf: valuesOf(metric) }));
    return new Metrics(await LayeredModel.create(model, 0), loaded, labels);
  }

  get count(): number {
    return this.metrics.length;
  }

  /** @param weights - float32[weightCount] */
  setWeights(weights: Float32Array): void {
    this.takeBackend();
    this.layered.setWeights(weights);
  }

  /**
   * Sums over samples 0..m-1, each added in float64 and rounded once.
   *
   * @param sums - float32[count], overwritten
   * @throws LockstepError `LOSS_MALFORMED`, `METRIC_NOT_FINITE`
   */
  sums(batch: MicroBatch, m: number, sums: Float32Array): void {
    this.takeBackend();
    tf.tidy(() => {
      const { labels, outputs } = this.answers(batch, m);
      for (const [i, metric] of this.metrics.entries()) {
        const { path, name, valuesOf } = metric;
        const values = tf.cast(sampleValues(metric, valuesOf, labels, outputs), 'float32').dataSync<'float32'>();
        const value = values.find((each) => !Number.isFinite(each));
        if (value !== undefined && outputs.dataSync().every(Number.isFinite))
          throw fault('METRIC_NOT_FINITE', { path, name, value });
        sums[i] = values.reduce((sum, each) => sum + each, 0);
      }
    });
  }

  /** Whether the functions take labels and outputs of these shapes. @throws LockstepError `LOSS_MALFORMED` */
  rehearse(): void {
    const m = 2; //                                                   with one a mean over samples could pass for its value
    const zeros = (size: number): Float32Array => new Float32Array(m * size);
    const x = zeros(sizeOf(this.layered.model.inputs[0]!.shape.slice(1) as number[]));
    tf.tidy(() => {
      const batch = { x, y: new Int32Array(m), targets: zeros(sizeOf(this.labels.shape)) };
      const { labels, outputs } = this.answers(batch, m);
      for (const metric of this.metrics) sampleValues(metric, metric.valuesOf, labels, outputs);
    });
  }

  dispose(): void {
    this.takeBackend();
    this.layered.model.dispose();
  }

  private answers(
    { x, y, targets }: MicroBatch,
    m: number,
  ): { readonly labels: tf.Tensor; readonly outputs: tf.Tensor } {
    const { shape, dtype } = this.labels;
    const inputShape = this.layered.model.inputs[0]!.shape.slice(1) as number[];
    const inputs = tf.tensor(x.slice(0, m * sizeOf(inputShape)), [m, ...inputShape]);
    const labels = isClassNumber(this.labels)
      ? tf.tensor1d(y.slice(0, m), 'int32')
      : tf.tensor(targets.slice(0, m * sizeOf(shape)), [m, ...shape], dtype === 'float32' ? 'float32' : 'int32');
    return { labels, outputs: this.layered.evaluate(inputs) };
  }

  /** An engine that trains op by op may have made another one current. */
  private takeBackend(): void {
    if (tf.getBackend() !== 'wasm') void tf.setBackend('wasm');
  }
}
