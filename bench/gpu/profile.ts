/** How long each kernel of a plan takes, by the device's own clock. */
import { encode, type Batch, type Kernel } from '../../src/engine/wgsl/program.js';

export interface KernelTime {
  readonly name: string;
  readonly microseconds: number;
  readonly groups: readonly number[];
}

/** @returns medians, or undefined where the device has no clock to ask */
export async function profile(
  device: GPUDevice,
  kernels: readonly Kernel[],
  batch: Batch,
  rounds: number,
): Promise<readonly KernelTime[] | undefined> {
  if (!device.features.has('timestamp-query')) return undefined;
  const count = kernels.length * 2;
  const stamps = device.createQuerySet({ type: 'timestamp', count });
  const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const there = device.createBuffer({ size: count * 8, usage: QUERY_RESOLVE | COPY_SRC });
  const here = device.createBuffer({ size: count * 8, usage: MAP_READ | COPY_DST });
  const times = kernels.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    const encoder = device.createCommandEncoder();
    encode(encoder, kernels, batch, stamps);
    encoder.resolveQuerySet(stamps, 0, count, there, 0);
    encoder.copyBufferToBuffer(there, 0, here, 0, count * 8);
    device.queue.submit([encoder.finish()]);
    await here.mapAsync(GPUMapMode.READ);
    const nanoseconds = new BigInt64Array(here.getMappedRange());
    if (round >= 0) times.forEach((all, k) => all.push(Number(nanoseconds[2 * k + 1]! - nanoseconds[2 * k]!) / 1e3));
    here.unmap();
  }
  return kernels.map(({ name, groups }, k) => ({
    name,
    microseconds: times[k]!.toSorted((a, b) => a - b)[rounds >> 1]!,
    groups: groups(batch),
  }));
}
