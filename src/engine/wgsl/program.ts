/**
 * Programs of compute kernels: WGSL compiled to pipelines and bind groups once, then run as often as wanted, all of it in one
 * command buffer.
 */
import type { GpuDevice } from './device.js';

/** Numbers that stay on the device. */
export interface GpuArray {
  readonly buffer: GPUBuffer;
  /** Of its elements: f32, u32, or a vector of them. */
  readonly type: string;
}

/** What is computed at once: `samples` of them, cut into micro-batches of `microBatch`, of which the last may be short. */
export interface Batch {
  readonly samples: number;
  readonly microBatch: number;
}

/** A kernel before it is compiled. `code` holds `fn main`; the arrays are there by their names, and `batch`. */
export interface KernelSource {
  readonly name: string;
  readonly reads: Readonly<Record<string, GpuArray>>;
  readonly writes: Readonly<Record<string, GpuArray>>;
  readonly code: string;
  /** Workgroups along x, y and z. */
  readonly groups: (batch: Batch) => readonly [number, number, number];
}

export interface Kernel {
  readonly name: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly groups: KernelSource['groups'];
  /** Of the arrays that it reads and writes. */
  readonly bytes: number;
}

/** `batch` of every kernel: which samples it is about. Random masks depend on epoch and position. */
const header = `
struct Batch { samples: u32, micro: u32, position: u32, epoch: u32 }
@group(0) @binding(0) var<uniform> batch: Batch;
`;

/** Bytes of `batch`. */
export const batchSize = 16;

/** Compiles kernels for one device; the same code is compiled once. */
export class KernelCompiler {
  private readonly waiting: Promise<void>[] = [];

  constructor(
    private readonly gpu: GpuDevice,
    private readonly batch: GPUBuffer,
  ) {}

  /** The kernel is complete when `finished` is. */
  compile({ name, reads, writes, code, groups }: KernelSource): Kernel {
    const { device } = this.gpu;
    const arrays = [
      ...Object.entries(reads).map(([key, array]) => ({ key, array, access: 'read' as const })),
      ...Object.entries(writes).map(([key, array]) => ({ key, array, access: 'read_write' as const })),
    ];
    const declared = arrays.map(
      ({ key, array, access }, i) =>
        `@group(0) @binding(${i + 1}) var<storage, ${access}> ${key}: array<${array.type}>;`,
    );
    const layout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform' } },
        ...arrays.map(({ access }, i) => ({
          binding: i + 1,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: access === 'read' ? ('read-only-storage' as const) : ('storage' as const) },
        })),
      ],
    });
    const bindings = device.createBindGroup({
      layout,
      entries: [
        { binding: 0, resource: { buffer: this.batch } },
        ...arrays.map(({ array }, i) => ({ binding: i + 1, resource: { buffer: array.buffer } })),
      ],
    });
    const bytes = arrays.reduce((sum, { array }) => sum + array.buffer.size, 0);
    const kernel: { pipeline?: GPUComputePipeline } & Omit<Kernel, 'pipeline'> = { name, bindings, groups, bytes };
    const pipeline = device.createComputePipelineAsync({
      label: name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module: device.createShaderModule({ label: name, code: [header, ...declared, code].join('\n') }) },
    });
    this.waiting.push(pipeline.then((compiled) => void (kernel.pipeline = compiled)));
    return kernel as Kernel;
  }

  async finished(): Promise<void> {
    await Promise.all(this.waiting);
  }
}

/** @param timestamps - where the k-th kernel writes its begin and end, for profiles: then each is a pass of its own */
export function encode(
  encoder: GPUCommandEncoder,
  kernels: readonly Kernel[],
  batch: Batch,
  timestamps?: GPUQuerySet,
): void {
  const run = (pass: GPUComputePassEncoder, { pipeline, bindings, groups }: Kernel): void => {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    pass.dispatchWorkgroups(...(groups(batch) as [number, number, number]));
  };
  if (!timestamps) {
    const pass = encoder.beginComputePass();
    for (const kernel of kernels) run(pass, kernel);
    pass.end();
    return;
  }
  for (const [k, kernel] of kernels.entries()) {
    const pass = encoder.beginComputePass({
      timestampWrites: { querySet: timestamps, beginningOfPassWriteIndex: 2 * k, endOfPassWriteIndex: 2 * k + 1 },
    });
    run(pass, kernel);
    pass.end();
  }
}
