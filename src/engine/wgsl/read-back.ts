import type { GpuDevice } from './device.js';

/** A part of a buffer of the device that is wanted here. */
export interface Wanted {
  readonly from: GPUBuffer;
  /** In bytes. */
  readonly offset: number;
  readonly to: Float32Array;
}

/** Brings results from the device: buffers that the host maps, kept and used again. */
export class ReadBack {
  private readonly free: GPUBuffer[] = [];

  constructor(private readonly gpu: GpuDevice) {}

  /** Submits what was encoded, and behind it copies of what is wanted, which is there when this is done. */
  async submit(encoder: GPUCommandEncoder, wanted: readonly Wanted[]): Promise<void> {
    const { device } = this.gpu;
    // Each part begins at a multiple of 16: memory that threads share is copied several times faster so.
    const offsets = [0];
    for (const { to } of wanted) offsets.push(offsets.at(-1)! + Math.ceil(to.byteLength / 16) * 16);
    const bytes = offsets.at(-1)!;
    const staging = this.take(bytes);
    for (const [i, { from, offset, to }] of wanted.entries())
      encoder.copyBufferToBuffer(from, offset, staging, offsets[i]!, to.byteLength);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ, 0, bytes);
    const all = staging.getMappedRange(0, bytes);
    for (const [i, { to }] of wanted.entries()) to.set(new Float32Array(all, offsets[i], to.length));
    staging.unmap();
    this.free.push(staging);
  }

  private take(bytes: number): GPUBuffer {
    const at = this.free.findIndex(({ size }) => size >= bytes);
    if (at >= 0) return this.free.splice(at, 1)[0]!;
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    return this.gpu.device.createBuffer({ label: 'read back', size: Math.ceil(bytes / 256) * 256, usage });
  }
}
