/** Sums of micro-batches added on the device, in the canonical tree of collective/tree.ts. */
import type { GpuDevice } from './device.js';
import { encode, KernelCompiler, type GpuArray, type Kernel } from './program.js';
import { ReadBack } from './read-back.js';

/** Nodes whose micro-batches lie one after the other in the array of sums, from place `first` on. */
export interface NodePlace {
  readonly first: number;
  readonly end: number;
}

interface Level {
  readonly kernel: Kernel;
  readonly places: GPUBuffer;
}

const threads = 256;

/** Adds in place: a node's sum lies where its first micro-batch lay. */
export class DeviceTree {
  private readonly levels: Level[] = [];

  private constructor(private readonly gpu: GpuDevice) {}

  /** @param sums - [micro-batch][length] @param microBatches - at most */
  static async create(
    gpu: GpuDevice,
    batch: GPUBuffer,
    sums: GpuArray,
    length: number,
    microBatches: number,
  ): Promise<DeviceTree> {
    const tree = new DeviceTree(gpu);
    const compiler = new KernelCompiler(gpu, batch);
    for (let width = 1; width < microBatches; width *= 2) {
      const places = gpu.allocate(Math.ceil(microBatches / width) * 4 + 16, 'places');
      const kernel = compiler.compile({
        name: 'tree',
        reads: { places: { buffer: places, type: 'u32' } },
        writes: { sums },
        code: `
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let i = group.x * ${threads}u + thread;
  if (i >= ${length}u) { return; }
  let left = places[group.y] * ${length}u + i;
  sums[left] = sums[left] + sums[left + ${width * length}u];
}`,
        groups: () => [Math.ceil(length / threads), 0, 1],
      });
      tree.levels.push({ kernel, places });
    }
    await compiler.finished();
    return tree;
  }

  /** The kernels that add up each node; the queue gets their places at once. */
  kernels(nodes: readonly NodePlace[]): readonly Kernel[] {
    return this.levels.flatMap(({ kernel, places }, level) => {
      const width = 1 << level;
      const left: number[] = [];
      for (const { first, end } of nodes) for (let i = first; i + width < end; i += 2 * width) left.push(i);
      if (left.length === 0) return [];
      this.gpu.device.queue.writeBuffer(places, 0, new Uint32Array(left));
      return [{ ...kernel, groups: (batch) => [kernel.groups(batch)[0], left.length, 1] as const }];
    });
  }
}

/** Whether the device adds as IEEE 754 says, numbers below 2^-126 included: only then does it not matter who adds. */
export async function addsExactly(gpu: GpuDevice): Promise<boolean> {
  const { device } = gpu;
  const [half, least] = [5.960464477539063e-8, 1.1754943508222875e-38]; //               of the last place of 1; below which numbers have fewer places
  const numbers = [
    ...[1, half, 1, 3 * half, 16_777_216, 1, 0.1, 0.2, -0, -0, 3e38, 3e38],
    ...[1e-45, 1e-45, least, -0.5 * least, 1e-40, 3e-41, least, 1e-42],
  ];
  const count = numbers.length / 2;
  const pairs = { buffer: gpu.allocate(numbers.length * 4 + 16, 'pairs'), type: 'f32' };
  const batch = device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM });
  const sums = { buffer: gpu.allocate(count * 4 + 16, 'sums'), type: 'f32' };
  device.queue.writeBuffer(pairs.buffer, 0, new Float32Array(numbers));
  const compiler = new KernelCompiler(gpu, batch);
  const kernel = compiler.compile({
    name: 'additions',
    reads: { pairs },
    writes: { sums },
    code: `
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32) {
  if (i < ${count}u) { sums[i] = pairs[2u * i] + pairs[2u * i + 1u]; }
}`,
    groups: () => [1, 1, 1],
  });
  await compiler.finished();
  const found = new Float32Array(count);
  const encoder = device.createCommandEncoder();
  encode(encoder, [kernel], { samples: 1, microBatch: 1 });
  await new ReadBack(gpu).submit(encoder, [{ from: sums.buffer, offset: 0, to: found }]);
  return found.every((sum, i) =>
    Object.is(sum, Math.fround(Math.fround(numbers[2 * i]!) + Math.fround(numbers[2 * i + 1]!))),
  );
}
