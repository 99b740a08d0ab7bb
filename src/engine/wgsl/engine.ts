import { evaluationCount, type ParameterLayout } from '../../core/layout.js';
import type { Engine, EngineOptions, RangeEngine, SamplePlace } from '../engine.js';
import { readTopology, type Topology } from '../topology.js';
import type { Gpu } from '../webgpu/device.js';
import { guarded } from '../webgpu/guard.js';
import type { Tuning } from './compilation.js';
import { gpuDeviceOf, type GpuDevice } from './device.js';
import { keepImages } from './kept-images.js';
import { compileGpuPlan, type GpuPlan } from './plan.js';
import { encode, type Batch, type Kernel } from './program.js';
import { DeviceRanges } from './ranges.js';
import { ReadBack, type Wanted } from './read-back.js';
import { addsExactly, DeviceTree } from './tree.js';
import { WeightsUpload } from './weights-upload.js';
import { sizeOf } from '../../core/shape.js';

const start: SamplePlace = { epoch: 0, position: 0 };

/** A plan on a GPU: parameters, samples and everything in between stay there; a micro-batch is one submission. */
export class WgslEngine implements Engine {
  readonly name = 'webgpu';
  /** One device and driver gives the same bits again, whatever is computed beside; another one gives others. */
  readonly deterministic = false;
  readonly layout: ParameterLayout;
  readonly x: Float32Array<ArrayBuffer>;
  readonly y: Int32Array<ArrayBuffer>;
  readonly targets: Float32Array<ArrayBuffer>;
  ranges: RangeEngine | undefined;
  private readonly readBack: ReadBack;
  private readonly upload: WeightsUpload;
  private hasWeights = false;

  private constructor(
    private readonly opened: Gpu,
    private readonly gpu: GpuDevice,
    private readonly topology: Topology,
    private readonly microBatchSize: number,
    readonly plan: GpuPlan,
  ) {
    this.layout = plan.layout;
    const sampleSize = sizeOf(topology.inputShape);
    this.x = new Float32Array(microBatchSize * sampleSize);
    this.y = new Int32Array(microBatchSize);
    this.targets = new Float32Array(topology.loss === 'softmaxCrossEntropy' ? 0 : microBatchSize * topology.outputs);
    this.upload = new WeightsUpload(gpu, plan.weights.buffer, plan.layout.weightCount);
    this.readBack = new ReadBack(gpu);
  }

  /** @throws LockstepError `LAYER_UNSUPPORTED`, `MODEL_UNSUPPORTED`, `GPU_OUT_OF_MEMORY`, `GPU_LOST` */
  static async create(opened: Gpu, options: EngineOptions & { readonly tuning?: Tuning }): Promise<WgslEngine> {
    let engine: WgslEngine | undefined;
    await guarded(opened, options.microBatchSize, async () => {
      engine = await WgslEngine.compile(opened, options);
    });
    return engine!;
  }

  private static async compile(
    opened: Gpu,
    options: EngineOptions & { readonly tuning?: Tuning },
  ): Promise<WgslEngine> {
    const gpu = gpuDeviceOf(opened.device);
    const { model, microBatchSize, seed = 0, train, tuning = {} } = options;
    const topology = readTopology(model);
    const microBatches = train ? microBatchesAtOnce(topology, microBatchSize) : 1;
    const capacity = microBatches * microBatchSize;
    const plan = await compileGpuPlan({ gpu, topology, microBatchSize, capacity, seed, tuning });
    const engine = new WgslEngine(opened, gpu, topology, microBatchSize, plan);
    const images = train ? await keepImages(gpu, plan, capacity, train) : undefined;
    if (!images) return engine;
    const length = plan.layout.parameterCount + plan.layout.extraCount;
    const tree = (await addsExactly(gpu))
      ? await DeviceTree.create(gpu, plan.batch, plan.sums, length, microBatches)
      : undefined;
    const add: typeof engine.add = (target, source) => engine.add(target, source);
    const run: typeof engine.run = (...work) => engine.run(...work);
    const { queue } = gpu.device;
    engine.ranges = new DeviceRanges({ plan, images, tree, microBatchSize, microBatches, queue, run, add });
    return engine;
  }

  async setWeights(weights: Float32Array): Promise<void> {
    if (weights.length !== this.layout.weightCount)
      throw new RangeError(`${weights.length} weights for ${this.layout.weightCount}`);
    try {
      this.upload.bring(weights);
    } catch (error) {
      await this.gpu.device.queue.onSubmittedWorkDone().catch(() => undefined); // by then it is known whether the device is lost
      throw this.opened.loss() ?? error;
    }
    this.hasWeights = true;
  }

  async gradientSum(m: number, sum: Float32Array, place = start): Promise<void> {
    this.check(m, sum, this.layout.parameterCount + this.layout.extraCount);
    this.load(m);
    await this.run(this.plan.gradient, m, place, [{ from: this.plan.sums.buffer, offset: 0, to: sum }]);
  }

  async evaluate(m: number, extras: Float32Array): Promise<void> {
    this.check(m, extras, evaluationCount);
    this.load(m);
    await this.run(this.plan.evaluation, m, start, [{ from: this.plan.evaluated.buffer, offset: 0, to: extras }]);
  }

  add(target: Float32Array, source: Float32Array): void {
    if (target.length !== source.length)
      throw new RangeError(`cannot add ${source.length} elements to ${target.length}`);
    for (let i = 0; i < target.length; i++) target[i]! += source[i]!;
  }

  tensorCount(): number {
    return 0;
  }

  close(): void {
    this.opened.close();
  }

  private load(m: number): void {
    const { queue } = this.gpu.device;
    const { x, labels } = this.plan;
    const { targets } = this;
    queue.writeBuffer(x.buffer, 0, this.x, 0, (m * this.x.length) / this.microBatchSize);
    if (targets.length > 0) queue.writeBuffer(labels.buffer, 0, targets, 0, m * this.topology.outputs);
    else queue.writeBuffer(labels.buffer, 0, this.y, 0, m);
  }

  private async run(kernels: readonly Kernel[], m: number, place: SamplePlace, wanted: readonly Wanted[]) {
    const { device } = this.gpu;
    const batch: Batch = { samples: m, microBatch: this.microBatchSize };
    device.queue.writeBuffer(this.plan.batch, 0, new Uint32Array([m, batch.microBatch, place.position, place.epoch]));
    const encoder = device.createCommandEncoder();
    const uploaded = this.upload.encode(encoder);
    encode(encoder, kernels, batch);
    const answered = this.readBack.submit(encoder, wanted);
    this.upload.finish(uploaded);
    try {
      await answered;
    } catch (error) {
      throw this.opened.loss() ?? error;
    } finally {
      await this.upload.settled();
    }
  }

  private check(m: number, sums: Float32Array, sumsLength: number): void {
    if (!this.hasWeights) throw new Error('no weights were set');
    if (!Number.isInteger(m) || m < 1 || m > this.y.length)
      throw new RangeError(`a micro-batch of ${m} samples in a plan for ${this.y.length}`);
    if (sums.length !== sumsLength) throw new RangeError(`a vector of ${sums.length} for ${sumsLength} sums`);
    const { loss, outputs } = this.topology;
    if (loss !== 'softmaxCrossEntropy') return;
    for (let i = 0; i < m; i++) {
      const label = this.y[i]!;
      if (label < 0 || label >= outputs)
        throw new RangeError(`label ${label} of sample ${i} is not in 0..${outputs - 1}`);
    }
  }
}

/** Memory for what lies between the layers, about: larger ranges are computed in turns. */
const wantedBytes = 268_435_456;
const mostMicroBatches = 64;

/** Micro-batches that are computed at once: a power of two, since so many are a node of the tree. */
function microBatchesAtOnce({ layers, inputShape }: Topology, microBatchSize: number): number {
  const sizes = [inputShape, ...layers.map(({ outputShape }) => outputShape)];
  const floats = sizes.reduce((sum, shape) => sum + 2 * sizeOf(shape), 0);
  const bytes = 4 * floats * microBatchSize;
  let count = 1;
  while (count < mostMicroBatches && 2 * count * bytes <= wantedBytes) count *= 2;
  return count;
}
