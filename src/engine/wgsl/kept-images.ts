/** A data set of images that stays on the device, a byte a value, and the kernel that brings samples from it into a plan. */
import type { ResidentDataset } from '../../data/resident-dataset.js';
import type { GpuDevice } from './device.js';
import { perElement } from './elements.js';
import type { GpuPlan } from './plan.js';
import { KernelCompiler, type GpuArray, type Kernel } from './program.js';

export interface KeptImages {
  /** u32[capacity]: which samples are wanted. */
  readonly order: GPUBuffer;
  /** Fills the plan's samples and labels. */
  readonly gather: Kernel;
}

/** @returns undefined for a data set that has no encoded images, or where the loss wants more than a class */
export async function keepImages(
  gpu: GpuDevice,
  plan: GpuPlan,
  capacity: number,
  { encoded, length }: ResidentDataset,
): Promise<KeptImages | undefined> {
  if (!encoded || !plan.takesClasses) return undefined;
  const size = encoded.images.length / length;
  const order = filled(gpu, capacity * 4, 'order of samples');
  const sources = {
    order,
    images: filled(gpu, encoded.images.length, 'images', encoded.images),
    classes: filled(gpu, encoded.labels.length, 'classes', encoded.labels),
    inputs: { ...filled(gpu, 1024, 'inputs', new Uint8Array(encoded.inputOf.slice().buffer)), type: 'f32' },
  };
  const compiler = new KernelCompiler(gpu, plan.batch);
  const gather = compiler.compile(
    perElement(
      'samples',
      size,
      sources,
      { x: plan.x, labels: plan.labels },
      {
        code: `
  let at = i % ${size}u;
  let source = order[sample];
  let byte = source * ${size}u + at;
  x[i] = inputs[(images[byte / 4u] >> (8u * (byte % 4u))) & 255u];
  if (at == 0u) { labels[sample] = (classes[source / 4u] >> (8u * (source % 4u))) & 255u; }`,
      },
    ),
  );
  await compiler.finished();
  return { order: order.buffer, gather };
}

function filled(gpu: GpuDevice, bytes: number, label: string, content?: Uint8Array): GpuArray {
  const whole = new Uint8Array(Math.ceil(bytes / 16) * 16);
  if (content) whole.set(content); //                           Dawn does not take shared memory
  const buffer = gpu.allocate(whole.length, label);
  if (content) gpu.device.queue.writeBuffer(buffer, 0, whole);
  return { buffer, type: 'u32' };
}
