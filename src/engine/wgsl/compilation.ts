/** What stages of a plan are compiled into: kernels, and the arrays that they work on. */
import type { ParameterLayout, TensorSpec } from '../../core/layout.js';
import type { FusedActivation } from '../layers/operation.js';
import type { GpuDevice } from './device.js';
import type { Tile } from './matrix-product.js';
import { batchSize, KernelCompiler, type GpuArray, type Kernel, type KernelSource } from './program.js';

/** A value of each sample. */
export interface Values {
  readonly out: GpuArray;
  /** Absent where nobody wants it: of the samples themselves. */
  readonly gradient?: GpuArray;
  /** Elements of a sample. */
  readonly size: number;
  /** What `out` went through: whoever writes `gradient` multiplies with its derivative at `out`. */
  readonly activation: FusedActivation;
}

/** Sums over samples, in parts that are added later: [micro-batch][part][size]. */
export interface PartialSums {
  readonly array: GpuArray;
  /** Where they belong in the sums' vector. */
  readonly offset: number;
  readonly size: number;
  /** Parts of a micro-batch. */
  readonly parts: number;
}

/** Sizes that kernels choose by themselves, for measurements that try others. */
export interface Tuning {
  /** Filters of a thread of a convolution. */
  readonly filters?: number;
  /** Pictures of a workgroup of a convolution, at most. */
  readonly pictures?: number;
  /** Bytes of workgroup memory that a convolution takes, at most. */
  readonly bytes?: number;
  /** Elements of a kernel that a thread adds gradients up for, at most. */
  readonly segment?: number;
  /** Workgroups that a weight's gradient is shared out to, about. */
  readonly groups?: number;
  /** Samples of a micro-batch from which on gradients behind pooling are taken as the few that they are. */
  readonly sparseFrom?: number;
  /** Of products of matrices with many columns. */
  readonly tile?: Tile;
}

export interface CompilationOptions {
  readonly tuning?: Tuning;
  readonly gpu: GpuDevice;
  readonly layout: ParameterLayout;
  readonly microBatchSize: number;
  /** Samples that are computed at once, at most: several micro-batches, or one. */
  readonly capacity: number;
  readonly seed: number;
}

export class Compilation {
  readonly training: Kernel[] = [];
  readonly evaluation: Kernel[] = [];
  readonly partials: PartialSums[] = [];
  readonly weights: GpuArray;
  readonly batch: GPUBuffer;
  readonly compiler: KernelCompiler;
  private readonly backward: Kernel[][] = [];

  constructor(readonly options: CompilationOptions) {
    const { device } = options.gpu;
    this.batch = device.createBuffer({ size: batchSize, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    this.compiler = new KernelCompiler(options.gpu, this.batch);
    this.weights = this.array(options.layout.weightCount, 'f32', 'weights');
  }

  get tuning(): Tuning {
    return this.options.tuning ?? {};
  }

  /** Samples of a micro-batch, which choose tiles and parts: never how many are computed at once. */
  get microBatchSize(): number {
    return this.options.microBatchSize;
  }

  /** Micro-batches that are computed at once, at most. */
  get microBatches(): number {
    return Math.ceil(this.options.capacity / this.microBatchSize);
  }

  array(elements: number, type = 'f32', label = type): GpuArray {
    const bytes = Math.max(16, Math.ceil((elements * 4) / 16) * 16);
    const buffer = this.options.gpu.allocate(bytes, label);
    return { buffer, type };
  }

  /** An array with `size` elements for each sample. */
  sampleArray(size: number, type = 'f32', label = type): GpuArray {
    return this.array(size * this.options.capacity, type, label);
  }

  values(size: number, activation: FusedActivation = 'linear'): Values {
    return { out: this.sampleArray(size), gradient: this.sampleArray(size, 'f32', 'gradient'), size, activation };
  }

  /** Kernels of both passes. */
  forward(source: KernelSource): void {
    const kernel = this.compiler.compile(source);
    this.training.push(kernel);
    this.evaluation.push(kernel);
  }

  onlyTraining(source: KernelSource): void {
    this.training.push(this.compiler.compile(source));
  }

  onlyEvaluation(source: KernelSource): void {
    this.evaluation.push(this.compiler.compile(source));
  }

  /** Kernels of one stage's backward pass, which run in the order given, the stages from the last to the first. */
  onBackward(...sources: readonly KernelSource[]): void {
    this.backward.push(sources.map((source) => this.compiler.compile(source)));
  }

  backwardPass(): readonly Kernel[] {
    return this.backward.toReversed().flat();
  }

  /** Where a weight lies in the vector of weights. */
  offsetOf({ name }: TensorSpec): number {
    return this.slot(name).offset;
  }

  isTrained({ name }: TensorSpec): boolean {
    return this.slot(name).offset < this.options.layout.parameterCount;
  }

  /** @param span - samples of one part, @param offset - in the sums' vector */
  partialSums(offset: number, size: number, span: number): PartialSums {
    const parts = Math.ceil(this.microBatchSize / span);
    const sums = { array: this.array(this.microBatches * parts * size, 'f32', 'partials'), offset, size, parts };
    this.partials.push(sums);
    return sums;
  }

  private slot(name: string) {
    return this.options.layout.tensors.find((tensor) => tensor.name === name)!;
  }
}

/** WGSL: which samples part `q` of the parts of all micro-batches is about. @param span - as of `partialSums` */
export function spanCode(parts: number, span: number): string {
  return `
fn span_of(q: u32) -> vec2u {
  let micro_first = (q / ${parts}u) * batch.micro;
  let part = q % ${parts}u;
  let end = min(micro_first + min((part + 1u) * ${span}u, batch.micro), batch.samples);
  return vec2u(min(micro_first + part * ${span}u, end), end);
}`;
}

/** Micro-batches of a batch. */
export function microBatchesOf({ samples, microBatch }: { readonly samples: number; readonly microBatch: number }) {
  return Math.ceil(samples / microBatch);
}
