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
    const bytes = wanted.reduce((sum, { to }) => sum + to.byteLength, 0);
    const staging = this.take(bytes);
    let at = 0;
    for (const { from, offset, to } of wanted) {
      encoder.copyBufferToBuffer(from, offset, staging, at, to.byteLength);
      at += to.byteLength;
    }
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ, 0, bytes);
    const all = new Float32Array(staging.getMappedRange(0, bytes));
    let first = 0;
    for (const { to } of wanted) {
      to.set(all.subarray(first, first + to.length));
      first += to.length;
    }
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
